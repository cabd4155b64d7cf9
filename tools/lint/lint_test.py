import os
import tempfile
import unittest

from tools import compile_commands
from tools.lint import changed
from tools.lint import clang
from tools.lint import pool


class LintTest(unittest.TestCase):
    def test_compile_commands_hold_the_tree_and_no_flag_of_gcc_alone(self):
        def action(source):
            return {"arguments": ["gcc", "-fno-canonical-system-headers", "-c", source, "-o", "x"]}
        graph = {"actions": [action("b.cc"), action("a.cc"), action("bazel-out/x.pb.cc")]}
        entries = compile_commands.commands(graph, "/r")
        self.assertEqual([e["file"] for e in entries], ["a.cc", "b.cc"])
        self.assertEqual(entries[0]["arguments"], ["gcc", "-c", "a.cc", "-o", "x"])

    def test_a_changed_header_is_seen_through_its_source_or_its_test(self):
        known = ["a.cc", "b_test.cc", "c.cc"]
        self.assertEqual(changed.sources(["b.h", "a.h", "c.cc", "a.cc", "d.h", "x.md"], known),
                         ["b_test.cc", "a.cc", "c.cc"])

    def test_the_analysis_writes_nothing(self):
        entry = {"arguments": ["gcc", "-Wall", "-MD", "-MF", "a.d", "-frandom-seed=a.o", "-c",
                               "a.cc", "-o", "a.o"]}
        command = clang.analysis_command(entry)
        self.assertEqual(command[-2:], ["-Wall", "a.cc"])
        self.assertIn("-fsyntax-only", command)

    def test_a_finding_fails_and_a_spent_budget_does_not(self):
        with tempfile.TemporaryDirectory() as folder:
            good = [("a", ["true"]), ("b", ["true"])]
            self.assertEqual(pool.report("x", pool.run("x", good, folder, 60)), 0)
            bad = good + [("c", ["false"])]
            self.assertEqual(pool.report("x", pool.run("x", bad, folder, 60)), 1)
            late = pool.run("x", bad, folder, 0)
            self.assertEqual([r.status for r in late], [None] * 3)
            self.assertEqual(pool.report("x", late), 0)

    def test_a_finding_in_a_header_is_told_once(self):
        header = "./a.h:3:5: error: bad [x]\n  code\n"
        outputs = [header + "b.cc:1:1: error: worse [y]\n", header]
        self.assertEqual(len(pool.distinct(outputs)), 2)
        self.assertEqual(pool.distinct(["clang-tidy crashed\n"]), ["clang-tidy crashed"])

    def test_a_file_locks_when_its_header_does(self):
        with tempfile.TemporaryDirectory() as folder:
            source, header = os.path.join(folder, "a.cc"), os.path.join(folder, "a.h")
            for path, text in ((source, "int a;\n"), (header, "int b;\n")):
                with open(path, "w", encoding="utf-8") as f:
                    f.write(text)
            self.assertFalse(clang.locks(source))
            with open(header, "a", encoding="utf-8") as f:
                f.write("int c ABSL_GUARDED_BY(mu_);\n")
            self.assertTrue(clang.locks(source))


if __name__ == "__main__":
    unittest.main()
