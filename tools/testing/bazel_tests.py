"""Runs `bazel test` and counts the single cases of every target."""
import os
import subprocess
import tempfile

from tools.testing import cases
from tools.testing import events
from tools.testing import tally


def _read(path: str | None) -> str | None:
    if path is None or not os.path.exists(path):
        return None
    with open(path, encoding="utf-8", errors="replace") as f:
        return f.read()


def run_events(args: list[str]) -> tuple[int, dict[str, events.Target]]:
    """Bazel's exit status and what became of each test target."""
    with tempfile.TemporaryDirectory(prefix="baton_test_") as folder:
        path = os.path.join(folder, "events.json")
        command = ["tools/bazel.sh", "test", "--build_event_json_file=" + path] + args
        status = subprocess.run(command, stdin=subprocess.DEVNULL, check=False).returncode
        return status, events.read_events((_read(path) or "").splitlines())


def count(targets: dict[str, events.Target]) -> tally.Tally:
    result = tally.Tally()
    for label, target in sorted(targets.items()):
        if not target.shards:
            result.failed.append(label + ": was not run (it did not build, or Bazel was stopped)")
        for shard in target.shards.values():
            result.add(cases.judge(label, shard.passed, _read(shard.xml)))
    return result


def run(args: list[str]) -> tally.Tally:
    status, targets = run_events(args)
    result = count(targets)
    # 3: tests failed, which the counts show; 4: no tests, which the tally refuses by itself.
    if status not in (0, 3, 4) and not result.failed:
        result.failed.append("bazel test: exit status %d, see above" % status)
    if status == 3 and not result.failed:
        result.failed.append("bazel test: says that a test failed, but none of the results does")
    return result
