"""docs/ARCHITECTURE.md is the map of the tree: every package has its place on it."""
import os

from tools.tidy import finding

_MAP = "docs/ARCHITECTURE.md"
_MAX_LINES = 120  # Two printed pages.


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
        if folder and "`%s/`" % folder not in text:
            found.append(finding.Finding(_MAP, 1, "map", "does not mention `%s/`" % folder))
    return found
