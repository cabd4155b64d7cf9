import contextlib
import io
import unittest

from tools.testing import tally


def _report(result):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        result.print_report()
    return out.getvalue().splitlines()


class TallyTest(unittest.TestCase):
    def test_the_last_line_counts_and_the_failed_are_named(self):
        lines = _report(tally.Tally(3, ["//a:b Ring.Breaks: ring.cc:7"], ["//a:c X.Y: why"]))
        self.assertEqual(lines[-1], "3 passed, 1 failed, 1 skipped")
        self.assertIn("FAILED: //a:b Ring.Breaks: ring.cc:7", lines)
        self.assertIn("Skipped: //a:c X.Y: why", lines)

    def test_the_exit_status_matches(self):
        self.assertEqual(tally.Tally(1).exit_status(), 0)
        self.assertEqual(tally.Tally(1, ["x"]).exit_status(), 1)

    def test_no_test_is_a_failure(self):
        self.assertEqual(tally.Tally().exit_status(), 1)
        self.assertEqual(tally.Tally(0, [], ["x"]).exit_status(), 1)
        self.assertEqual(_report(tally.Tally())[-1], "0 passed, 0 failed, 0 skipped")

    def test_adds_up(self):
        result = tally.Tally(1, ["a"], ["b"])
        result.add(tally.Tally(2, ["c"], []))
        self.assertEqual(result, tally.Tally(3, ["a", "c"], ["b"]))


if __name__ == "__main__":
    unittest.main()
