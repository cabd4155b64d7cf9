"""Copies sources with the bugs of bugs.txt planted, each behind `planted == N`.

    plant.py BUGS OUT_FOLDER SOURCES...

A bug's `from` text must stand exactly once in its file: when the code moves on, so does the bug.
"""
import os
import sys

_HEAD = "namespace baton::sim { extern int planted; }\n"


def read_bugs(text: str):
    for block in text.split("\n=== ")[1:]:
        head, _, body = block.partition("\n")
        number, _, path = head.split()[:3]
        old, _, new = body.partition("\n---\n")
        yield int(number), path, old, new.rstrip("\n").split("\n=== ")[0]


def main() -> int:
    bugs_path, out, sources = sys.argv[1], sys.argv[2], sys.argv[3:]
    with open(bugs_path, encoding="utf-8") as f:
        bugs = list(read_bugs(f.read()))
    texts = {}
    for source in sources:
        with open(source, encoding="utf-8") as f:
            texts[source] = f.read()
    for number, path, old, new in bugs:
        text = texts[path]
        if text.count(old) != 1:
            print("bug %d: %s has its text %d times:\n%s" % (number, path, text.count(old), old),
                  file=sys.stderr)
            return 1
        switch = "(::baton::sim::planted == %d)" % number
        texts[path] = text.replace(old, new.replace("PLANTED", switch))
    for path, text in texts.items():
        copy = os.path.join(out, "planted_" + os.path.basename(path))
        with open(copy, "w", encoding="utf-8") as f:
            f.write(_HEAD + text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
