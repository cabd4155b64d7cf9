"""tcg: one guest's lines are told apart by program."""
import unittest

from tools.rdma_bed import table
from tools.rdma_bed import tcg

_ENTRIES = [table.Entry("tcg", "gtest", 60, "//a:b", ()),
            table.Entry("tcg", "program", 9, "//c:d", ("--x=two words",))]


class ScriptTest(unittest.TestCase):
    def test_every_program_has_its_limit_and_its_status(self):
        text = tcg.script(_ENTRIES)
        self.assertIn("timeout -k 5 9 bazel-bin/c/d '--x=two words'\n", text)
        self.assertEqual(text.count("@bed status $?"), 2)


class SplitterTest(unittest.TestCase):
    def test_each_program_has_its_own_lines_and_status(self):
        splitter = tcg.Splitter(2)
        for line in ("@bed kernel 6", "@bed begin 0", "a", "@bed status 0", "@bed begin 1", "b",
                     "@bed status 1", "@bed status 0", "@bed end"):
            splitter.add(line)
        self.assertEqual([p.lines for p in splitter.parts], [["a"], ["b"]])
        self.assertEqual([p.status for p in splitter.parts], [0, 1])

    def test_a_program_that_was_never_reached_has_failed(self):
        splitter = tcg.Splitter(2)
        splitter.add("@bed begin 0")
        splitter.add("@bed status 0")
        self.assertIn("never said", splitter.parts[1].failure())


if __name__ == "__main__":
    unittest.main()
