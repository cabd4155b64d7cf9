"""table: what a line of suite.txt may say, and that the table of this tree can be read."""
import unittest

from tools.rdma_bed import table


class ReadTest(unittest.TestCase):
    def test_a_line_is_a_program_with_its_arguments(self):
        entry, = table.read("# a comment\n\numl gtest 60 //a/b:c --x='two words'  # why\n")
        self.assertEqual(entry, table.Entry("uml", "gtest", 60, "//a/b:c", ("--x=two words",)))
        self.assertEqual(entry.command(), ["bazel-bin/a/b/c", "--x=two words"])
        self.assertEqual(entry.label(), "uml: //a/b:c --x=two words")

    def test_a_bad_line_is_named(self):
        for line, why in (("uml gtest 60", "is not 'WHERE"),
                          ("moon gtest 60 //a:b", "'moon gtest'"),
                          ("uml cake 60 //a:b", "'uml cake'"),
                          ("uml gtest 0 //a:b", "'0' is no limit"),
                          ("uml gtest 9999 //a:b", "'9999' is no limit"),
                          ("uml gtest 60 a:b", "is not //package:target")):
            with self.subTest(line), self.assertRaisesRegex(table.BadTable, "line 2 .*" + why):
                table.read("\n" + line)

    def test_the_table_of_this_tree_can_be_read(self):
        with open("tools/rdma_bed/suite.txt", encoding="utf-8") as f:
            entries = table.read(f.read())
        self.assertEqual({entry.where for entry in entries}, set(table.WHERES))


if __name__ == "__main__":
    unittest.main()
