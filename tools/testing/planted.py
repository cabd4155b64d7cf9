"""The planted faults: tests that must fail, each with what the sanitizer must say in its log.

tests/sanitizers/planted.txt has one a line: `CONFIG //package:target text that the log must hold`.
"""
import os

from tools.testing import bazel_tests
from tools.testing import tally

_LIST = "tests/sanitizers/planted.txt"


def read_list(text: str, config: str) -> list[tuple[str, str]]:
    """(label, text) of each fault planted for `config`."""
    faults = []
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        for_config, label, report = line.split(None, 2)
        if for_config == config:
            faults.append((label, report))
    return faults


def judge(label: str, report: str, ran: bool, passed: bool, log: str) -> tally.Tally:
    """A fault that was caught counts as a test that passed."""
    if not ran:
        return tally.Tally(failed=["%s: the planted fault was not run" % label])
    if passed:
        return tally.Tally(failed=["%s: the planted fault was NOT caught" % label])
    if report not in log:
        return tally.Tally(failed=["%s: failed, but without '%s' in its log" % (label, report)])
    return tally.Tally(passed=1)


def _log(path: str | None) -> str:
    if path is None or not os.path.exists(path):
        return ""
    with open(path, encoding="utf-8", errors="replace") as f:
        return f.read()


def run(config: str) -> tally.Tally:
    with open(_LIST, encoding="utf-8") as f:
        faults = read_list(f.read(), config)
    print("Planted faults (%s): each of these tests must fail." % config, flush=True)
    args = ["--config=" + config, "--test_output=summary", "--keep_going"]
    _, _, targets = bazel_tests.run_events(args + [label for label, _ in faults])
    result = tally.Tally()
    if not faults:
        result.failed.append("%s: no fault is planted for config %s" % (_LIST, config))
    for label, report in faults:
        shards = list(targets[label].shards.values()) if label in targets else []
        log = _log(shards[0].log) if shards else ""
        verdict = judge(label, report, bool(shards), bool(shards) and shards[0].passed, log)
        result.add(verdict)
        if verdict.passed:
            print("caught: %s (%s)" % (label, report), flush=True)
    return result
