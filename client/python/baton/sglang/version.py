"""The versions of SGLang that this backend was tried with."""

from __future__ import annotations

TRIED = ("0.5.23",)


def advice(version: str) -> str:
    """What to say when something of SGLang is not as it was."""
    if tried(version):
        return f"SGLang {version} is a version that baton.sglang was tried with: report this"
    versions = ", ".join(TRIED)
    return (
        f"baton.sglang was tried with SGLang {versions} and this is {version}: "
        f"install sglang=={TRIED[-1]}, or a Baton that was tried with {version}"
    )


def tried(version: str) -> bool:
    """Whether exactly this version was tried."""
    return version in TRIED
