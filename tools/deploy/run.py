"""Runs the tests of deploy/ and closes with the counts of their cases.

    tools/test_deploy [--suite=k8s,...] [--no-build]
"""
import argparse
import os
import subprocess
import sys
import tempfile
import time

from tools.testing import cases
from tools.testing import tally

# What the suites start; `make test` builds the same.
TARGETS = ["//bootstrap_service/app:baton-bootstrap", "//transfer_agent/app:baton-agent",
           "//client/ctl:batonctl", "//client/examples/...", "//tests/demo", "//tests/chaos"]
SUITES = {"k8s": 420, "shells": 120, "images": 240, "rollout": 300, "guides": 300}
_BED = "tools/testing/unittest_xml.py"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tools/test_deploy", description=__doc__)
    parser.add_argument("--suite", default=",".join(SUITES), help="which, with commas between")
    parser.add_argument("--no-build", action="store_true", help="take the programs as they are")
    return parser.parse_args()


def _run(suite: str, folder: str) -> tally.Tally:
    path = "tests/deploy/%s_test.py" % suite
    xml = os.path.join(folder, suite + ".xml")
    env = {**os.environ, "PYTHONPATH": os.getcwd(), "PYTHONDONTWRITEBYTECODE": "1",
           "XML_OUTPUT_FILE": xml}
    start = time.monotonic()
    try:
        status = subprocess.run(["/usr/bin/python3", "-P", _BED, path], env=env, check=False,
                                stdin=subprocess.DEVNULL, timeout=SUITES[suite]).returncode
    except subprocess.TimeoutExpired:
        print("%s: not done after %d s" % (suite, SUITES[suite]))
        status = 1
    print("--- %s: %.0f s" % (suite, time.monotonic() - start), flush=True)
    text = None
    if os.path.exists(xml):
        with open(xml, encoding="utf-8") as f:
            text = f.read()
    return cases.judge(path, status == 0, text)


def main() -> int:
    arguments = _arguments()
    if not arguments.no_build:
        subprocess.run(["tools/bazel.sh", "build", *TARGETS], check=True)
    total = tally.Tally()
    with tempfile.TemporaryDirectory() as folder:
        for suite in arguments.suite.split(","):
            total.add(_run(suite, folder))
    total.print_report()
    return total.exit_status()


if __name__ == "__main__":
    sys.exit(main())
