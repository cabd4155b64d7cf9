"""The one bed of a run."""
import contextlib
import unittest

from tests.engines.sglang import bed as beds

_bed: beds.Bed | None = None


@contextlib.contextmanager
def one(result: unittest.TestResult):
    """Makes it, and ends it with all that was started."""
    global _bed
    _bed = beds.Bed()
    try:
        _bed.start()
        yield
        if not result.wasSuccessful():
            _show_logs(_bed)
    finally:
        _bed.close()


def bed() -> beds.Bed:
    assert _bed is not None
    return _bed


def _show_logs(of: beds.Bed) -> None:
    for engine in of.all:
        with open(engine.process.log, encoding="utf-8", errors="replace") as log:
            lines = [line[:300] for line in log if " 200 OK" not in line and "batch" not in line]
        beds.say("%s's log ends so:\n%s" % (engine.name, "".join(lines[-25:])))
