"""Runs the suites of the vLLM connector in one process, which imports vLLM once and forks engines.
tools/test_vllm makes what it needs. Closes with the counts of the cases.

    tools/test_vllm [--no-build] [PATTERN ...]      PATTERN: part of a case's name
"""
import os
import signal
import sys
import time
import unittest

from tools.testing import tally

SUITES = ("hand_off_test", "requests_test", "faults_test", "guide_test")


class _Result(unittest.TestResult):
    """Says each case as it ends, with its seconds; errors at once."""

    def __init__(self) -> None:
        super().__init__()
        self.tally = tally.Tally()
        self._since = 0.0
        self._broken = False

    def startTest(self, test) -> None:
        super().startTest(test)
        self._since, self._broken = time.monotonic(), False

    def stopTest(self, test) -> None:
        super().stopTest(test)
        if not self._broken:
            self.tally.passed += 1
        print("%6.1f s  %s  %s" % (time.monotonic() - self._since,
                                   "FAILED" if self._broken else "ok    ", _name(test)), flush=True)

    def _fail(self, test, error) -> None:
        self._broken = True
        if _name(test) not in self.tally.failed:
            self.tally.failed.append(_name(test))
        print(self._exc_info_to_string(error, test), flush=True)

    def addFailure(self, test, err) -> None:
        super().addFailure(test, err)
        self._fail(test, err)

    def addError(self, test, err) -> None:
        super().addError(test, err)
        self._fail(test, err)

    def addSubTest(self, test, subtest, err) -> None:
        super().addSubTest(test, subtest, err)
        if err is not None:
            print("in %s" % subtest)
            self._fail(test, err)


def _name(test) -> str:
    return test.id().removeprefix("tests.engines.vllm.")


def _chosen(suite, patterns: list[str]):
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from _chosen(test, patterns)
        elif not patterns or any(pattern in test.id() for pattern in patterns):
            yield test


def main() -> int:
    start = time.monotonic()
    # The first process of a namespace of its own hears no SIGTERM unless it asks to.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(1))
    os.environ["VLLM_ENABLE_V1_MULTIPROCESSING"] = "0"
    print("importing vLLM, once", flush=True)
    import vllm  # pylint: disable=unused-import
    print("%6.1f s  vLLM %s" % (time.monotonic() - start, vllm.__version__), flush=True)
    loaded = unittest.defaultTestLoader.loadTestsFromNames(
        ["tests.engines.vllm." + name for name in SUITES])
    result = _Result()
    unittest.TestSuite(_chosen(loaded, sys.argv[1:])).run(result)
    print("%.0f s in all" % (time.monotonic() - start))
    result.tally.print_report()
    return result.tally.exit_status()


if __name__ == "__main__":
    sys.exit(main())
