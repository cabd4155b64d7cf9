"""Runs suite.txt on the RDMA bed and closes with `N passed, N failed, N skipped`.

Builds the bed's kernel (once), builds the programs with Bazel, runs each in a guest of its own, and
those for Debian's kernel in one emulated guest. A case that the binary lists and that printed no
verdict in the guest has failed; so has every program of a guest that did not start.
"""
import argparse
import os
import subprocess
import sys
import time

from tools.rdma_bed import console
from tools.rdma_bed import gtest_cases
from tools.rdma_bed import table
from tools.rdma_bed import tcg
from tools.rdma_bed import uml
from tools.testing import skips
from tools.testing import tally

_SUITE = "tools/rdma_bed/suite.txt"


def _parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tools/run_rdma_tests", description=__doc__)
    parser.add_argument("--where", choices=table.WHERES, action="append",
                        help="only these guests; all when left out")
    parser.add_argument("--match", default="", help="only the lines that hold this text")
    return parser.parse_args(argv)


def _last_line(command: list[str]) -> str:
    made = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True,
                          text=True)
    return made.stdout.splitlines()[-1]


def _build(entries: list[table.Entry]) -> None:
    targets = sorted({entry.target for entry in entries})
    subprocess.run(["tools/bazel.sh", "build"] + targets, stdin=subprocess.DEVNULL, check=True)


def _judge_gtest(entry: table.Entry, heard: list[console.Console]) -> tally.Tally:
    listed = subprocess.run([entry.path(), "--gtest_list_tests"] + list(entry.arguments),
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=False,
                            text=True)
    result = tally.Tally()
    for guest in heard:
        where = entry.where + (" host %d" % guest.host if len(heard) > 1 else "")
        result.add(gtest_cases.judge(entry.target, where, gtest_cases.read_list(listed.stdout),
                                     guest.lines, guest.failure()))
    return result


def _judge(entry: table.Entry, heard: list[console.Console]) -> tally.Tally:
    if entry.kind == "gtest":
        return _judge_gtest(entry, heard)
    result = tally.Tally()
    failures = ["host %d: %s" % (guest.host, guest.failure()) for guest in heard
                if guest.failure()]
    if failures:
        result.failed.append("%s: %s" % (entry.label(), "; ".join(failures)))
    else:
        result.passed = 1
    return result


def _sink(host: int, line: str) -> None:
    print("  %d| %s" % (host, line), flush=True)


def _run_uml(entries: list[table.Entry]) -> tally.Tally:
    kernel = _last_line(["tools/rdma_bed/build_kernel.sh"])
    result = tally.Tally()
    for entry in entries:
        print("\n== %s" % entry.label(), flush=True)
        start = time.monotonic()
        heard = uml.run(kernel, entry.command(), hosts=2 if entry.where == "two" else 1,
                        limit_s=entry.limit_s, sink=_sink)
        judged = _judge(entry, heard)
        print("== %.1f s, %d passed, %d failed" % (time.monotonic() - start, judged.passed,
                                                   len(judged.failed)), flush=True)
        result.add(judged)
    return result


def _run_tcg(entries: list[table.Entry]) -> tally.Tally:
    kernel = _last_line(["tools/rdma_bed/debian_kernel.sh"])
    print("\n== Debian's kernel, emulated: %s" % ", ".join(e.label() for e in entries), flush=True)
    start = time.monotonic()
    result = tally.Tally()
    for entry, heard in zip(entries, tcg.run(kernel, entries, _sink)):
        result.add(_judge(entry, [heard]))
    print("== %.1f s, %d passed, %d failed" % (time.monotonic() - start, result.passed,
                                               len(result.failed)), flush=True)
    return result


def main(argv: list[str]) -> int:
    options = _parse(argv)
    with open(_SUITE, encoding="utf-8") as f:
        entries = [e for e in table.read(f.read()) if options.match in e.label()]
    _build(entries)
    result = tally.Tally()
    for where_of, run in ((("uml", "two"), _run_uml), (("tcg",), _run_tcg)):
        chosen = [e for e in entries
                  if e.where in where_of and e.where in (options.where or table.WHERES)]
        if chosen:
            result.add(run(chosen))
    if os.environ.get("CI", "") in ("true", "1"):
        with open("tests/allowed_skips", encoding="utf-8") as f:
            skips.refuse_unlisted(result, skips.read_allowed(f.read()))
    print()
    result.print_report()
    return result.exit_status()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
