"""gtest_cases: what counts as a verdict, and that silence is a failure."""
import unittest

from tools.rdma_bed import gtest_cases

_LIST = """Running main() from gmock_main.cc
BedTest.
  HasTwoDevices
Rail/RailTest.
  Lands/0  # GetParam() = 0
  Lands/1  # GetParam() = 1
"""
_NAMES = ["BedTest.HasTwoDevices", "Rail/RailTest.Lands/0", "Rail/RailTest.Lands/1"]
_GOOD = ["[ RUN      ] BedTest.HasTwoDevices",
         "[       OK ] BedTest.HasTwoDevices (30 ms)",
         "[       OK ] Rail/RailTest.Lands/0 (9 ms)",
         "[       OK ] Rail/RailTest.Lands/1 (7 ms)",
         "[==========] 3 tests from 2 test suites ran. (191 ms total)"]


class ReadListTest(unittest.TestCase):
    def test_names_are_suite_and_case_without_the_parameter(self):
        self.assertEqual(gtest_cases.read_list(_LIST), _NAMES)


class JudgeTest(unittest.TestCase):
    def judge(self, lines, failure=""):
        return gtest_cases.judge("//a:b", "uml", _NAMES, lines, failure)

    def test_every_listed_case_with_its_verdict_passes(self):
        result = self.judge(_GOOD)
        self.assertEqual((result.passed, result.failed, result.skipped), (3, [], []))

    def test_a_case_without_a_verdict_has_failed(self):
        result = self.judge(_GOOD[:3])
        self.assertEqual(result.passed, 2)
        self.assertEqual(result.failed,
                         ["//a:b Rail/RailTest.Lands/1: printed no verdict on uml"])

    def test_a_case_that_only_started_has_no_verdict(self):
        self.assertEqual(len(self.judge(["[ RUN      ] " + n for n in _NAMES]).failed), 3)

    def test_a_failed_case_with_a_parameter_is_seen(self):
        lines = _GOOD[:3] + ["[  FAILED  ] Rail/RailTest.Lands/1, where GetParam() = 1 (7 ms)"]
        self.assertEqual(self.judge(lines).failed, ["//a:b Rail/RailTest.Lands/1: failed on uml"])

    def test_a_verdict_counts_even_when_another_process_wrote_on_its_line(self):
        lines = [_GOOD[1], _GOOD[2], "I1123 a log line [       OK ] Rail/RailTest.Lands/1 (7 ms)"]
        self.assertEqual(self.judge(lines).passed, 3)

    def test_two_verdicts_for_one_case_are_a_failure(self):
        self.assertEqual(len(self.judge(_GOOD + ["[  FAILED  ] BedTest.HasTwoDevices (1 ms)"])
                             .failed), 1)

    def test_a_skipped_case_is_counted_under_the_name_that_may_allow_it(self):
        lines = ["[  SKIPPED ] BedTest.HasTwoDevices (0 ms)"] + _GOOD[2:]
        self.assertEqual(self.judge(lines).skipped, ["//a:b BedTest.HasTwoDevices: skipped on uml"])

    def test_a_case_that_is_not_listed_is_a_failure(self):
        self.assertEqual(len(self.judge(_GOOD + ["[       OK ] Other.Case (1 ms)"]).failed), 1)

    def test_a_program_that_ended_badly_after_its_cases_has_failed(self):
        result = self.judge(_GOOD, "exit status 1")
        self.assertEqual(result.failed, ["//a:b on uml: exit status 1"])

    def test_a_binary_without_tests_is_a_failure(self):
        self.assertEqual(len(gtest_cases.judge("//a:b", "uml", [], [], "").failed), 1)


if __name__ == "__main__":
    unittest.main()
