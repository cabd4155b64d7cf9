"""Rules for every text file: white space, leftovers, paths of somebody's machine."""
import re

from tools.tidy import finding

# In pieces, so that this file does not find itself.
_LEFTOVER = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X")) + r")\b")
_MACHINE_PATH = re.compile(r"(?<![\w.$}/])/(" + "|".join(("wo" + "rk", "ro" + "ot", "ho" + "me")) +
                           r")/[\w.-]")


def check(path: str, text: str) -> list[finding.Finding]:
    # A patch quotes somebody else's file, byte by byte.
    if path.endswith(".patch"):
        return []
    found = []

    def add(line, rule, what):
        found.append(finding.Finding(path, line, rule, what))

    if text and not text.endswith("\n"):
        add(text.count("\n") + 1, "space", "the last line does not end")
    if text.endswith("\n\n"):
        add(text.count("\n"), "space", "blank lines at the end")
    for number, line in enumerate(text.split("\n"), 1):
        if line != line.rstrip():
            add(number, "space", "space at the end of the line")
        if "\t" in line and not path.endswith("Makefile"):
            add(number, "space", "a tab")
        if _LEFTOVER.search(line):
            add(number, "leftover", "finish it, or describe the gap in the docs")
        if _MACHINE_PATH.search(line):
            add(number, "machine-path", "a path of somebody's machine")
    return found
