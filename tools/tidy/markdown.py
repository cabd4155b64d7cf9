"""Markdown: one title a file, and no link into the tree that leads nowhere."""
import os
import re

from tools.tidy import finding

_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^\s*(```|~~~)")


def _prose(text: str):
    """(number, line) of the lines outside fenced code."""
    fenced = False
    for number, line in enumerate(text.splitlines(), 1):
        if _FENCE.match(line):
            fenced = not fenced
        elif not fenced:
            yield number, line


def anchors(text: str) -> set[str]:
    """The names that a browser of the repository gives to the headings."""
    names = set()
    for _, line in _prose(text):
        match = re.match(r"#{1,6} +(.*)", line)
        if match:
            plain = re.sub(r"[^\w\- ]", "", match.group(1).strip().lower())
            names.add(plain.replace(" ", "-"))
    return names


def _dead(path: str, target: str, text: str, root: str) -> bool:
    file, _, anchor = target.partition("#")
    if file.startswith("/"):
        full = os.path.join(root, file[1:])
    else:
        full = os.path.normpath(os.path.join(root, os.path.dirname(path), file))
    if file and not os.path.exists(full):
        return True
    if not anchor or (file and not file.endswith(".md")):
        return False
    if file:
        with open(full, encoding="utf-8") as f:
            text = f.read()
    return anchor not in anchors(text)


def check(path: str, text: str, root: str) -> list[finding.Finding]:
    found = []
    titles = [number for number, line in _prose(text) if re.match(r"# ", line)]
    if len(titles) != 1:
        line = titles[1] if titles else 1
        found.append(finding.Finding(path, line, "title", "%d titles (#), want one" % len(titles)))
    for number, line in _prose(text):
        for target in _LINK.findall(re.sub(r"`[^`]*`", "", line)):
            if "://" in target or target.startswith("mailto:"):
                continue
            if _dead(path, target, text, root):
                found.append(finding.Finding(path, number, "link", "dead link: " + target))
    return found
