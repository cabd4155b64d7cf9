import unittest

from tools.testing import build_graph as graph


def _rule(kind, *labels):
    return graph.Rule(kind, "name", "//engine/...", labels)


class BuildGraphTest(unittest.TestCase):
    def test_reads_rules_and_refuses_what_it_does_not_know(self):
        rules = graph.read_rules("# c\n\nonly a //x/... //y //z/...\n")
        self.assertEqual(rules, [graph.Rule("only", "a", "//x/...", ("//y", "//z/..."))])
        for line in ("only a //x/...", "maybe a //x/... //y"):
            with self.assertRaisesRegex(graph.BadRule, "line 1"):
                graph.read_rules(line)

    def test_patterns(self):
        self.assertTrue(graph.matches("//a/b:c", "//a/..."))
        self.assertTrue(graph.matches("//a:c", "//a/..."))
        self.assertFalse(graph.matches("//ab:c", "//a/..."))
        self.assertTrue(graph.matches("//a/b:b", "//a/b"))
        self.assertFalse(graph.matches("//a/b:c", "//a/b"))
        self.assertTrue(graph.matches("//a/b:c", "//a/b:c"))

    def test_only(self):
        rule = _rule("only", "//common/...")
        self.assertEqual(graph.judge(rule, ["//engine:e", "//common:ids", "@bazel_tools//x:y"]), "")
        self.assertIn("//agent:a", graph.judge(rule, ["//engine:e", "//agent:a"]))

    def test_never(self):
        rule = _rule("never", "//third_party/grpc/...")
        self.assertEqual(graph.judge(rule, ["//engine:e"]), "")
        self.assertIn("grpc++", graph.judge(rule, ["//engine:e", "//third_party/grpc:grpc++"]))

    def test_nopath(self):
        self.assertEqual(graph.judge_path([], "//planner:plan"), "")
        self.assertIn("//engine:e -> //planner:plan",
                      graph.judge_path(["//engine:e", "//planner:plan"], "//planner:plan"))

    def test_needs(self):
        rule = _rule("needs", "//client/...")
        self.assertEqual(graph.judge(rule, ["//engine:e", "//client:c"]), "")
        self.assertIn("//client/...", graph.judge(rule, ["//engine:e"]))

    def test_roots_without_a_target_break_every_rule(self):
        for kind in ("only", "never", "needs"):
            self.assertIn("names no target", graph.judge(_rule(kind, "//x"), []))

    def test_tags_and_their_list_agree(self):
        listing = "# c\nno_tsan //a:b starts a server\nno_asan //a:c other tag\n"
        self.assertEqual(graph.judge_tags("no_tsan", ["//a:b"], listing), "")
        self.assertIn("not listed", graph.judge_tags("no_tsan", ["//a:b", "//a:d"], listing))
        self.assertIn("not tagged", graph.judge_tags("no_tsan", [], listing))
        self.assertIn("no reason", graph.judge_tags("no_tsan", ["//a:b"], "no_tsan //a:b"))


if __name__ == "__main__":
    unittest.main()
