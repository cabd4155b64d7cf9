"""Which C++ files changed most recently, newest first."""
import os
import subprocess


def recently_changed(root: str, commits: int) -> list[str]:
    """Paths changed in the work tree and in the last `commits` commits."""
    status = ["git", "-C", root, "diff", "--name-only", "HEAD"]
    log = ["git", "-C", root, "log", "-n", str(commits), "--name-only", "--format="]
    paths = []
    for command in (status, log):
        done = subprocess.run(command, capture_output=True, text=True, check=False,
                              stdin=subprocess.DEVNULL)
        paths += done.stdout.split("\n") if done.returncode == 0 else []
    return list(dict.fromkeys(p for p in paths if p))


def sources(changed: list[str], known: list[str]) -> list[str]:
    """The compiled files to look at for the changed ones, in the same order.

    A header is looked at through the source of the same name, or its test.
    """
    compiled = set(known)
    found: dict[str, None] = {}
    for path in changed:
        stem, suffix = os.path.splitext(path)
        candidates = [path] if suffix == ".cc" else []
        if suffix == ".h":
            candidates = [stem + ".cc", stem + "_test.cc"]
        for candidate in candidates:
            if candidate in compiled:
                found[candidate] = None
                break
    return list(found)
