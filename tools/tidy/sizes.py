"""Sizes: hard limits are findings, soft ones are counted in tidy's summary."""
from tools.tidy import finding
from tools.tidy import functions

HEADER = (150, 300)
SOURCE = (250, 400)
FUNCTION = (40, 70)
MAIN = 120
COLUMNS = 100

_LONG_LINE_SUFFIXES = (".h", ".cc", ".proto", ".py", ".sh", ".bzl")


def _too_long(path, line, what, lines, limit):
    text = "%s has %d lines, the limit is %d" % (what, lines, limit)
    return finding.Finding(path, line, "size", text)


def _columns(path: str, lines: list[str]) -> list[finding.Finding]:
    found = []
    for number, line in enumerate(lines, 1):
        if len(line) > COLUMNS and "://" not in line and not line.startswith("#include"):
            found.append(finding.Finding(path, number, "columns",
                                         "%d columns, the limit is %d" % (len(line), COLUMNS)))
    return found


def check(path: str, text: str) -> tuple[list[finding.Finding], list[str]]:
    """The findings, and what is over a soft limit."""
    lines = text.splitlines()
    found, soft = [], []
    if path.endswith(_LONG_LINE_SUFFIXES):
        found += _columns(path, lines)
    if not path.endswith((".h", ".cc")):
        return found, soft
    soft_limit, hard_limit = HEADER if path.endswith(".h") else SOURCE
    if path.endswith("/main.cc"):
        hard_limit = MAIN
    if len(lines) > hard_limit:
        found.append(_too_long(path, 1, "the file", len(lines), hard_limit))
    elif len(lines) > soft_limit:
        soft.append("%s: %d lines (soft limit %d)" % (path, len(lines), soft_limit))
    for name, first, length in functions.measure(text):
        if length > FUNCTION[1]:
            found.append(_too_long(path, first, name, length, FUNCTION[1]))
        elif length > FUNCTION[0]:
            soft.append("%s:%d: %s has %d lines (soft limit %d)" %
                        (path, first, name, length, FUNCTION[0]))
    return found, soft
