"""clang-tidy over the C++ files, and Clang's thread-safety analysis over those that lock.

Reads compile_commands.json, which tools/compile_commands.py writes.
"""
import argparse
import json
import os
import sys

from tools.lint import changed
from tools.lint import pool

_LOCKS = ("common/mutex.h", "ABSL_GUARDED_BY", "ABSL_EXCLUSIVE_LOCKS_REQUIRED", "MutexLock")
# Faults on purpose.
_PLANTED = "tests/sanitizers/planted_"


def _read(path: str) -> str:
    if not os.path.exists(path):
        return ""
    with open(path, encoding="utf-8") as f:
        return f.read()


def locks(path: str) -> bool:
    """Whether the source or its own header names a lock."""
    text = _read(path) + _read(os.path.splitext(path)[0] + ".h")
    return any(word in text for word in _LOCKS)


def analysis_command(entry: dict) -> list[str]:
    """The file's own command, as a check by clang that writes nothing."""
    args = list(entry["arguments"])[1:]
    kept, skip = [], False
    for arg in args:
        if skip or arg in ("-o", "-MF"):
            skip = not skip
        elif arg not in ("-MD", "-c") and not arg.startswith("-frandom-seed"):
            kept.append(arg)
    return ["clang++-14", "-fsyntax-only", "-Wthread-safety", "-Wno-unknown-warning-option"] + kept


def _parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tools/lint.sh")
    parser.add_argument("--changed", type=int, default=0, metavar="COMMITS",
                        help="only files changed in that many last commits")
    parser.add_argument("--budget", type=float, default=86400.0, metavar="SECONDS",
                        help="stop looking at further files after this time")
    parser.add_argument("files", nargs="*", help="only these")
    return parser.parse_args(argv)


def main(argv: list[str]) -> int:
    options = _parse(argv)
    root = os.getcwd()
    entries = {e["file"]: e for e in json.loads(_read("compile_commands.json"))
               if not e["file"].startswith(_PLANTED) and os.path.exists(e["file"])}
    files = sorted(entries)
    if options.files:
        files = [f for f in options.files if f in entries]
    elif options.changed:
        files = changed.sources(changed.recently_changed(root, options.changed), files)
    tidy = [(f, ["clang-tidy-14", "--quiet", "-p", root, f]) for f in files]
    analysis = [(f, analysis_command(entries[f])) for f in files if locks(f)]

    status = 0
    # The analysis is cheap and gets a quarter of the budget at most.
    for name, jobs, budget in (("thread-safety", analysis, options.budget / 4),
                               ("clang-tidy", tidy, options.budget * 3 / 4)):
        print("%s: %d files" % (name, len(jobs)), flush=True)
        status |= pool.report(name, pool.run(name, jobs, root, budget))
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
