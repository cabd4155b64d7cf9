"""The maps: docs/ARCHITECTURE.md has every package, docs/design/README.md every design page."""
import os

from tools.tidy import finding

_MAP = "docs/ARCHITECTURE.md"
_INDEX = "docs/design/README.md"
_MAX_LINES = 120  # Two printed pages.
# Below these the map may name a folder for all that is in it.
_COARSE = ("tests/", "bench/", "tools/")


def _is_named(folder: str, text: str) -> bool:
    while folder:
        if "`%s/`" % folder in text:
            return True
        if not folder.startswith(_COARSE):
            return False
        folder = os.path.dirname(folder)
    return False


def check(paths: list[str], read) -> list[finding.Finding]:
    if _MAP not in paths:
        return [finding.Finding(_MAP, 1, "map", "the map of the tree is missing")]
    text = read(_MAP)
    found = []
    lines = text.count("\n")
    if lines > _MAX_LINES:
        found.append(finding.Finding(_MAP, 1, "map", "%d lines, the limit is %d" %
                                     (lines, _MAX_LINES)))
    folders = {os.path.dirname(p) for p in paths if p.endswith((".h", ".cc", ".proto"))}
    for folder in sorted(folders):
        if folder and not _is_named(folder, text):
            found.append(finding.Finding(_MAP, 1, "map", "does not mention `%s/`" % folder))
    return found + _check_index(paths, read)


def _check_index(paths: list[str], read) -> list[finding.Finding]:
    folder = os.path.dirname(_INDEX) + "/"
    pages = [p[len(folder):] for p in paths if p.startswith(folder) and p != _INDEX]
    index = read(_INDEX) if _INDEX in paths else ""
    return [finding.Finding(_INDEX, 1, "map", "does not link " + page)
            for page in pages if page.endswith(".md") and "](%s)" % page not in index]
