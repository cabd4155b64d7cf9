"""Every C++ file stands in the BUILD file of its package: otherwise nobody compiles or tests it."""
import fnmatch
import os
import re

from tools.tidy import finding

_BUILD_FILES = ("BUILD.bazel", "BUILD")


def _package(path: str, files: set[str]) -> str | None:
    """The BUILD file above `path`."""
    folder = os.path.dirname(path)
    while True:
        for name in _BUILD_FILES:
            build = os.path.join(folder, name)
            if build in files:
                return build
        if not folder:
            return None
        folder = os.path.dirname(folder)


def _patterns(text: str) -> tuple[set[str], list[str]]:
    """The names in a BUILD file, and the patterns of its globs."""
    text = re.sub(r"#[^\n]*", "", text)
    names = set(re.findall(r'"([^"\n]+)"', text))
    # A list of stems, as in `srcs = [name + ".cc"]`.
    for suffix in re.findall(r'\+ "(\.?\w*\.(?:cc|h))"', text):
        names |= {name + suffix for name in list(names)}
    return names, [name for name in names if "*" in name]


def check(paths: list[str], read) -> list[finding.Finding]:
    """`read(path)` gives a file's text."""
    files = set(paths)
    known: dict[str, tuple[set[str], list[str]]] = {}
    found = []
    for path in paths:
        if not path.endswith((".h", ".cc")):
            continue
        build = _package(path, files)
        if build is None:
            found.append(finding.Finding(path, 1, "build", "no BUILD.bazel above it"))
            continue
        if build not in known:
            known[build] = _patterns(read(build))
        name = os.path.relpath(path, os.path.dirname(build) or ".")
        names, globs = known[build]
        if name not in names and ":" + name not in names and not any(
                fnmatch.fnmatch(name, g) for g in globs):
            found.append(finding.Finding(path, 1, "build", "%s does not name it" % build))
    return found
