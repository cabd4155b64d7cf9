import unittest

from tools.testing import planted

_LIST = """# comment
asan //t:free AddressSanitizer: heap-use-after-free
tsan //t:race ThreadSanitizer: data race
"""


class PlantedTest(unittest.TestCase):
    def test_reads_the_faults_of_one_config(self):
        self.assertEqual(planted.read_list(_LIST, "tsan"),
                         [("//t:race", "ThreadSanitizer: data race")])

    def test_a_caught_fault_passes(self):
        verdict = planted.judge("//t:race", "data race", True, False, "WARNING: data race (pid=1)")
        self.assertEqual((verdict.passed, verdict.failed), (1, []))

    def test_a_fault_that_was_missed_not_run_or_died_of_something_else_fails(self):
        for ran, passed, log in ((True, True, "data race"), (False, False, ""),
                                 (True, False, "Segmentation fault")):
            verdict = planted.judge("//t:race", "data race", ran, passed, log)
            self.assertEqual((verdict.passed, len(verdict.failed)), (0, 1), log)


if __name__ == "__main__":
    unittest.main()
