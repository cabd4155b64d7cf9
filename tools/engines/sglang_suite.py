"""Runs the tests that need SGLang's engines, and closes with the counts of their cases.

    tools/test_sglang [--no-build] [--cases=HandOversTest,...]

The first run downloads the engine (tools/engines/sglang_install.sh). Everything listens in a
network namespace of its own; nothing is left behind.
"""
import argparse
import os
import subprocess
import sys
import tempfile
import time

from tools.testing import cases
from tools.testing import tally

TARGETS = ["//bootstrap_service/app:baton-bootstrap", "//transfer_agent/app:baton-agent",
           "//client/c:libbaton_c.so", "//client/ctl:batonctl"]
SUITE = "tests/engines/sglang/sglang_test.py"
LIMIT_S = 900
_ISOLATED = ["unshare", "--net", "--pid", "--mount", "--fork", "--kill-child", "--mount-proc"]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tools/test_sglang", description=__doc__)
    parser.add_argument("--no-build", action="store_true", help="take the programs as they are")
    parser.add_argument("--cases", default="", help="classes of tests/engines/sglang; all if empty")
    return parser.parse_args()


def _install() -> str:
    done = subprocess.run(["tools/engines/sglang_install.sh"], check=True, text=True,
                          stdout=subprocess.PIPE)
    return done.stdout.splitlines()[-1]


def _run(engine: str, xml: str, chosen: str) -> bool:
    root = [] if os.geteuid() == 0 else ["--map-root-user"]
    command = _ISOLATED + root + [
        "bash", "-c", 'ip link set lo up && exec "$@"', "bash", "/usr/bin/python3", "-P",
        "tools/testing/unittest_xml.py", SUITE]
    env = {**os.environ, "PYTHONPATH": os.getcwd(), "PYTHONDONTWRITEBYTECODE": "1",
           "SGLANG_FOLDER": engine, "SGLANG_CASES": chosen, "XML_OUTPUT_FILE": xml}
    try:
        return subprocess.run(command, env=env, check=False, stdin=subprocess.DEVNULL,
                              timeout=LIMIT_S).returncode == 0
    except subprocess.TimeoutExpired:
        print("%s: not done after %d s" % (SUITE, LIMIT_S))
        return False


def main() -> int:
    arguments = _arguments()
    if not arguments.no_build:
        subprocess.run(["tools/bazel.sh", "build", *TARGETS], check=True)
    engine = _install()
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        xml = os.path.join(folder, "test.xml")
        passed = _run(engine, xml, arguments.cases)
        text = None
        if os.path.exists(xml):
            with open(xml, encoding="utf-8") as f:
                text = f.read()
    print("--- sglang: %.0f s" % (time.monotonic() - start), flush=True)
    total = tally.Tally()
    total.add(cases.judge(SUITE, passed, text))
    total.print_report()
    return total.exit_status()


if __name__ == "__main__":
    sys.exit(main())
