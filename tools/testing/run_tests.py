"""Runs the tests of one configuration and closes with `N passed, N failed, N skipped`.

In CI (CI=true) no result comes from a cache, and a skip that tests/allowed_skips does not list is
a failure. Without --config the rules of the build graph are checked too; with one, its planted
faults.
"""
import argparse
import os
import sys

from tools.testing import bazel_tests
from tools.testing import build_graph
from tools.testing import planted
from tools.testing import skips
from tools.testing import tally


def _parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tools/run_tests", description=__doc__)
    parser.add_argument("--config", choices=["asan", "tsan"], help="a sanitizer")
    parser.add_argument("--only", action="store_true",
                        help="the named targets alone: no build graph, no planted faults")
    parser.add_argument("--budget", type=float, metavar="SECONDS",
                        help="stop then; what was not reached is said and does not count")
    parser.add_argument("targets", nargs="*")
    options = parser.parse_args(argv)
    if not options.targets:
        # A sanitizer has nothing to say about scripts.
        options.targets = ["//...", "-//tools/..."] if options.config else ["//..."]
    return options


def main(argv: list[str]) -> int:
    options = _parse(argv)
    in_ci = os.environ.get("CI", "") in ("true", "1")
    args = ["--keep_going", "--build_tests_only"]
    if options.config:
        args.append("--config=" + options.config)
    if in_ci:
        args.append("--nocache_test_results")

    result = tally.Tally()
    if options.config and not options.only:
        result.add(planted.run(options.config))
    print("Tests: %s%s" % (" ".join(options.targets), " under " + options.config
                           if options.config else ""), flush=True)
    ran = bazel_tests.run(args + ["--"] + options.targets, options.budget)
    if not ran.passed and not ran.failed and not options.budget:
        ran.failed.append("bazel test: ran no test")
    result.add(ran)
    if not options.config and not options.only:
        result.add(build_graph.run())
    if in_ci:
        with open("tests/allowed_skips", encoding="utf-8") as f:
            skips.refuse_unlisted(result, skips.read_allowed(f.read()))
    result.print_report()
    return result.exit_status()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
