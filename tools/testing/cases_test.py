import unittest

from tools.testing import cases

_GTEST = """<?xml version="1.0" encoding="UTF-8"?>
<testsuites tests="4" failures="1" disabled="1" errors="0" time="0.1" name="AllTests">
  <testsuite name="Ring" tests="4" failures="1" disabled="1" skipped="1" errors="0">
    <testcase name="Works" status="run" result="completed" time="0" classname="Ring" />
    <testcase name="Breaks" status="run" result="completed" time="0" classname="Ring">
      <failure message="ring.cc:7&#x0A;Expected: 1" type=""><![CDATA[ring.cc:7]]></failure>
    </testcase>
    <testcase name="NeedsADevice" status="run" result="skipped" time="0" classname="Ring">
      <skipped message="ring.cc:9&#x0A;no device"><![CDATA[no device]]></skipped>
    </testcase>
    <testcase name="DISABLED_Old" status="notrun" result="suppressed" time="0" classname="Ring" />
  </testsuite>
</testsuites>"""

_BAZEL = """<?xml version="1.0" encoding="UTF-8"?>
<testsuites><testsuite name="t" tests="1" failures="0" errors="1">
<testcase name="tools/t" status="run"><error message="exited with error code 1"></error></testcase>
</testsuite></testsuites>"""


class CasesTest(unittest.TestCase):
    def test_counts_each_case_of_a_gtest_file(self):
        result = cases.read_xml("//a:b", _GTEST)
        self.assertEqual(result.passed, 1)
        self.assertEqual(result.failed, ["//a:b Ring.Breaks: ring.cc:7"])
        self.assertEqual(result.skipped, ["//a:b Ring.NeedsADevice: ring.cc:9",
                                          "//a:b Ring.DISABLED_Old: disabled"])

    def test_counts_a_script_as_one_case(self):
        result = cases.judge("//tools:t", False, _BAZEL)
        self.assertEqual(result.failed, ["//tools:t tools/t: exited with error code 1"])

    def test_a_target_that_fails_after_its_cases_passed_has_failed(self):
        good = '<testsuites><testsuite><testcase name="A" classname="S"/></testsuite></testsuites>'
        result = cases.judge("//a:b", False, good)
        self.assertEqual(result.passed, 1)
        self.assertEqual(len(result.failed), 1)

    def test_a_target_without_a_case_has_failed(self):
        result = cases.judge("//a:b", True, "<testsuites></testsuites>")
        self.assertEqual(result.failed, ["//a:b: holds no test"])

    def test_a_target_without_a_readable_file_has_failed(self):
        for passed in (True, False):
            for text in (None, "", "<testsuites><testca"):
                with self.subTest(passed=passed, text=text):
                    self.assertEqual(len(cases.judge("//a:b", passed, text).failed), 1)

    def test_a_target_whose_cases_all_skip_is_a_skip(self):
        text = '<testsuite><testcase name="A" result="skipped"/></testsuite>'
        result = cases.judge("//a:b", True, text)
        self.assertEqual((result.passed, result.failed, len(result.skipped)), (0, [], 1))


if __name__ == "__main__":
    unittest.main()
