"""The files that tidy looks at: what git tracks or would track."""
import os
import subprocess

_SKIPPED_FOLDERS = ("third_party/remote_coverage_tools/",)


def _from_git(root: str) -> list[str]:
    command = ["git", "-c", "safe.directory=*", "-C", root, "ls-files", "-z", "-co",
               "--exclude-standard"]
    done = subprocess.run(command, capture_output=True, check=False, stdin=subprocess.DEVNULL)
    return done.stdout.decode().split("\0") if done.returncode == 0 else []


def _from_walk(root: str) -> list[str]:
    """Without git (an unpacked archive): everything but hidden folders and Bazel's links."""
    paths = []
    for folder, folders, names in os.walk(root):
        folders[:] = [f for f in folders if not f.startswith((".", "bazel-", "__pycache__"))]
        paths += [os.path.relpath(os.path.join(folder, name), root) for name in names]
    return paths


def _is_text(path: str) -> bool:
    with open(path, "rb") as f:
        return b"\0" not in f.read(8192)


def files(root: str) -> list[str]:
    found = []
    for path in sorted(set(_from_git(root) or _from_walk(root))):
        full = os.path.join(root, path)
        if not path or path.startswith(_SKIPPED_FOLDERS):
            continue
        if os.path.isfile(full) and not os.path.islink(full) and _is_text(full):
            found.append(path)
    return found
