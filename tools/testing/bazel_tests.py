"""Runs `bazel test` and counts the single cases of every target."""
import os
import signal
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


STOPPED = 8  # Bazel's exit status after an interrupt.


def _run_command(command: list[str], budget_s: float | None) -> tuple[int, bool]:
    """The exit status, and whether the budget was used up before the end."""
    with subprocess.Popen(command, stdin=subprocess.DEVNULL) as process:
        try:
            return process.wait(budget_s), False
        except subprocess.TimeoutExpired:
            # Bazel ends what runs and writes its event file to the end.
            process.send_signal(signal.SIGINT)
            return process.wait(), True


def run_events(args: list[str], budget_s: float | None = None
               ) -> tuple[int, bool, dict[str, events.Target]]:
    """Bazel's exit status, whether it was stopped at the budget, what became of each target."""
    with tempfile.TemporaryDirectory(prefix="baton_test_") as folder:
        path = os.path.join(folder, "events.json")
        command = ["tools/bazel.sh", "test", "--build_event_json_file=" + path] + args
        status, stopped = _run_command(command, budget_s)
        return status, stopped, events.read_events((_read(path) or "").splitlines())


def count(targets: dict[str, events.Target], stopped: bool = False) -> tally.Tally:
    """After a stop at the budget, what was not reached is said and does not count."""
    result = tally.Tally()
    if stopped:
        reached = {label: target for label, target in targets.items()
                   if target.shards and all(shard.ended for shard in target.shards.values())}
        print("The budget is used up: %d of %d targets were not reached." %
              (len(targets) - len(reached), len(targets)))
        targets = reached
    for label, target in sorted(targets.items()):
        if not target.shards:
            result.failed.append(label + ": was not run (it did not build, or Bazel was stopped)")
        for shard in target.shards.values():
            result.add(cases.judge(label, shard.passed, _read(shard.xml)))
    return result


def run(args: list[str], budget_s: float | None = None) -> tally.Tally:
    status, stopped, targets = run_events(args, budget_s)
    result = count(targets, stopped)
    if stopped and status == STOPPED:
        return result
    # 3: tests failed, which the counts show; 4: no tests, which the tally refuses by itself.
    if status not in (0, 3, 4) and not result.failed:
        result.failed.append("bazel test: exit status %d, see above" % status)
    if status == 3 and not result.failed:
        result.failed.append("bazel test: says that a test failed, but none of the results does")
    return result
