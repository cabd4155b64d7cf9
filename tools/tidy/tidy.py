"""Checks the house rules over the whole tree: //tools/tidy:tidy_test, or, from the root,
`PYTHONPATH=. python3 -m tools.tidy.tidy`.

Exits 1 when a rule is broken. What is over a soft limit is printed and breaks nothing.
"""
import os
import sys

from tools.tidy import architecture
from tools.tidy import builds
from tools.tidy import classes
from tools.tidy import cpp
from tools.tidy import finding
from tools.tidy import logs
from tools.tidy import markdown
from tools.tidy import named_tests
from tools.tidy import readme
from tools.tidy import sizes
from tools.tidy import text as text_rules
from tools.tidy import tree

# Texts that are not ours.
_NOT_OURS = ("LICENSE",)


def check_tree(root: str) -> tuple[list[finding.Finding], list[str], int]:
    """The findings, what is over a soft limit, and how many files were read."""
    def read(path):
        with open(os.path.join(root, path), encoding="utf-8") as f:
            return f.read()

    paths = [p for p in tree.files(root) if p not in _NOT_OURS]
    found, soft = builds.check(paths, read), []
    found += architecture.check(paths, read)
    limits = classes.Classes(paths, read)
    named = named_tests.NamedTests(paths, read)
    for path in paths:
        text = read(path)
        here = text_rules.check(path, text)
        hard, over = sizes.check(path, text)
        here += hard
        soft += over
        if path.endswith((".h", ".cc")):
            here += cpp.check(path, text) + logs.check(path, text)
            here += limits.check(path, text)
        if path.endswith(".md"):
            here += markdown.check(path, text, root) + readme.check(path, text, read)
            here += named.check(path, text)
        lines = text.splitlines()
        found += [f for f in here if not finding.is_allowed(f, lines)]
    return found + limits.finish(), soft, len(paths)


def main(root: str) -> int:
    found, soft, files = check_tree(root)
    for line in soft:
        print("over a soft limit: " + line)
    for each in found:
        print(each)
    print("tidy: %d files, %d over a soft limit, %d findings" % (files, len(soft), len(found)))
    return 1 if found or not files else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else os.getcwd()))
