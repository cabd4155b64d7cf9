"""Each rule against a text that breaks it and one that does not."""
import os
import tempfile
import unittest

from tools.tidy import architecture
from tools.tidy import builds
from tools.tidy import cpp
from tools.tidy import finding
from tools.tidy import logs
from tools.tidy import markdown
from tools.tidy import named_tests
from tools.tidy import readme
from tools.tidy import sizes
from tools.tidy import text
from tools.tidy import tidy

_GUARDED = "#ifndef BATON_A_B_H_\n#define BATON_A_B_H_\n%s#endif  // BATON_A_B_H_\n"


def _rules(found):
    return [f.rule for f in found]


class SizesTest(unittest.TestCase):
    def test_a_long_file_is_a_finding_and_a_longish_one_is_counted(self):
        for path, soft, hard in (("a/b.h", 150, 300), ("a/b.cc", 250, 400)):
            self.assertEqual(sizes.check(path, "//\n" * soft), ([], []))
            found, over = sizes.check(path, "//\n" * hard)
            self.assertEqual((found, len(over)), ([], 1))
            self.assertEqual(_rules(sizes.check(path, "//\n" * (hard + 1))[0]), ["size"])

    def test_a_long_function_is_a_finding(self):
        body = "void F() {\n%s}\n"
        self.assertEqual(sizes.check("a.cc", body % ("  G();\n" * 68))[0], [])
        found = sizes.check("a.cc", body % ("  G();\n" * 69))[0]
        self.assertEqual(_rules(found), ["size"])
        self.assertIn("F has 71 lines", found[0].text)

    def test_main_is_a_list(self):
        self.assertEqual(_rules(sizes.check("a/main.cc", "//\n" * 121)[0]), ["size"])

    def test_a_wide_line_is_a_finding_except_for_addresses_and_includes(self):
        self.assertEqual(_rules(sizes.check("a.py", "#" * 101)[0]), ["columns"])
        self.assertEqual(sizes.check("a.py", "# https://" + "a" * 99)[0], [])
        self.assertEqual(sizes.check("a.cc", '#include "' + "a" * 99)[0], [])


class LogsTest(unittest.TestCase):
    def test_a_line_begins_with_what_it_is_about(self):
        for good in ('LOG(INFO) << "peer " << address << " is up";',
                     'LOG(INFO) << ToString(rank) << " is registered";',
                     'LOG(INFO) // why\n    << "room " << key;', 'LOG(FATAL) << cause;',
                     '// LOG(INFO) << text;'):
            self.assertEqual(logs.check("client/a.cc", good), [], good)
        for bad in ('LOG(INFO) << "is up: peer " << address;', "LOG(INFO) << text;",
                    'LOG(INFO) << "peers: " << count;'):
            self.assertEqual(_rules(logs.check("client/a.cc", bad)), ["log"], bad)
            for path in ("client/a_test.cc", "bench/a.cc"):
                self.assertEqual(logs.check(path, bad), [])

    def test_a_warning_says_why(self):
        good = 'LOG(ERROR) << "room " << key << "; late: " << why;'
        self.assertEqual(logs.check("client/a.cc", good), [])
        for severity in ("WARNING", "ERROR"):
            found = logs.check("client/a.cc", 'LOG(%s) << "room " << key << " failed";' % severity)
            self.assertEqual(_rules(found), ["log"])

    def test_no_line_is_left_out_uncounted(self):
        for bad in ('LOG_EVERY_N(ERROR, 100) << "peer " << 1;', 'VLOG(1) << "peer " << 1;'):
            self.assertEqual(_rules(logs.check("client/a.cc", bad)), ["log"], bad)


class TextTest(unittest.TestCase):
    def test_white_space(self):
        self.assertEqual(text.check("a.cc", "a\n"), [])
        for bad in ("a", "a \n", "\ta\n", "a\n\n", "a\r\n"):
            self.assertEqual(_rules(text.check("a.cc", bad)), ["space"], repr(bad))
        self.assertEqual(text.check("Makefile", "\ta\n"), [])
        self.assertEqual(text.check("a.patch", " \n-\ta \n"), [])

    def test_leftovers_and_paths_of_a_machine(self):
        self.assertEqual(_rules(text.check("a.cc", "// TO" + "DO: later\n")), ["leftover"])
        self.assertEqual(_rules(text.check("a.md", "see /ho" + "me/me/x\n")), ["machine-path"])
        self.assertEqual(text.check("a.md", "a/work/b and https://x.org/home/a\n"), [])


class MarkdownTest(unittest.TestCase):
    def test_one_title(self):
        self.assertEqual(markdown.check("a.md", "# A\n\n## B\n\n```\n# c\n```\n", "."), [])
        for bad in ("## B\n", "# A\n# B\n"):
            self.assertEqual(_rules(markdown.check("a.md", bad, ".")), ["title"])

    def test_links(self):
        with tempfile.TemporaryDirectory() as root:
            os.mkdir(os.path.join(root, "docs"))
            with open(os.path.join(root, "docs", "b.md"), "w", encoding="utf-8") as f:
                f.write("# B\n\n## The ring, in full\n")
            good = ("# A\n[b](b.md) [r](b.md#the-ring-in-full) [x](https://x.org) [t](#a)\n"
                    "[u](../docs)\n")
            self.assertEqual(markdown.check("docs/a.md", good, root), [])
            for bad in ("c.md", "b.md#nothing", "#nothing", "../b.md", "/b.md"):
                found = markdown.check("docs/a.md", "# A\n[x](%s)\n" % bad, root)
                self.assertEqual(_rules(found), ["link"], bad)


class CppTest(unittest.TestCase):
    def test_include_guards(self):
        self.assertEqual(cpp.check("a/b.h", _GUARDED % ""), [])
        self.assertEqual(_rules(cpp.check("a/c.h", _GUARDED % "")), ["guard"])
        self.assertEqual(_rules(cpp.check("a/b.h", "#pragma once\n")), ["guard"])

    def test_what_the_project_does_not_use(self):
        bad = {
            "string-view": "void F(std::string_view a);\n",
            "exception": "throw Error();\n",
            "mutex": "std::mutex mu;\n",
            "using-namespace": "using namespace std;\n",
        }
        for rule, line in bad.items():
            self.assertEqual(_rules(cpp.check("a/b.cc", line)), [rule])
            self.assertEqual(cpp.check("a/b.cc", "// " + line), [])
        sleeps = "std::this_thread::sleep_for(x);\n"
        self.assertEqual(_rules(cpp.check("a/b_test.cc", sleeps)), ["sleep"])
        self.assertEqual(cpp.check("a/b.cc", sleeps), [])

    def test_a_reason_at_the_place_allows_one_rule(self):
        found = cpp.check("a/b.cc", "std::mutex mu;\n")[0]
        self.assertTrue(finding.is_allowed(found, ["std::mutex mu;  // tidy-allow(mutex): a seam"]))
        self.assertFalse(finding.is_allowed(found, ["std::mutex mu;  // tidy-allow(mutex):"]))
        self.assertFalse(finding.is_allowed(found, ["std::mutex mu;  // tidy-allow(sleep): x"]))


class BuildsTest(unittest.TestCase):
    def _check(self, build, *paths):
        files = list(paths) + ["a/BUILD.bazel"]
        return _rules(builds.check(files, lambda path: build))

    def test_a_file_that_no_build_file_names(self):
        self.assertEqual(self._check('srcs = ["b.cc"]', "a/b.cc"), [])
        self.assertEqual(self._check('srcs = ["c/b.cc"]', "a/c/b.cc"), [])
        self.assertEqual(self._check('srcs = glob(["*.cc"])', "a/b.cc"), [])
        stems = '[t(srcs = [n + "_test.cc"]) for n in ["b"]]'
        self.assertEqual(self._check(stems, "a/b_test.cc"), [])
        self.assertEqual(self._check('srcs = ["c.cc"]  # "b.cc"', "a/b.cc"), ["build"])
        self.assertEqual(_rules(builds.check(["z/b.cc"], lambda path: "")), ["build"])


class NamedTestsTest(unittest.TestCase):
    _FILES = {
        "a/BUILD.bazel": 'name = "b_test"\nname = "c_test"\nname = "suite_test"\n',
        "a/b_test.cc": "TEST_F(Rooms,\n       LandWhole) {\n",
        "a/c_test.py": "    def test_it_works(self):\n",
        "a/suite/x_tests.cc": "TEST_P(Conformance, Fences) {\n",
    }

    def found(self, named):
        rule = named_tests.NamedTests(list(self._FILES), self._FILES.__getitem__)
        return rule.check("docs/x.md", "| bug | `%s` |\n" % named)

    def test_what_is_there_is_found(self):
        for named in ("//a:b_test Rooms.LandWhole", "//a:c_test test_it_works",
                      "//a:suite_test Conformance.Fences"):
            self.assertEqual(self.found(named), [])

    def test_what_is_not_there_is_a_finding(self):
        for named in ("//a:b_test Rooms.LandWhol", "//a:d_test Rooms.LandWhole",
                      "//z:b_test Rooms.LandWhole", "//a:c_test test_it"):
            self.assertEqual(_rules(self.found(named)), ["named-test"])


class DocsTest(unittest.TestCase):
    def test_the_readme_shows_what_compiles(self):
        source = "int main() {\n  // [go]\n  Go();\n    On();\n  // [go]\n}\n"
        good = "<!-- from: e.cc [go] -->\n```cpp\nGo();\n  On();\n```\n"
        self.assertEqual(readme.check("README.md", good, lambda path: source), [])
        bad = good.replace("On", "Off")
        self.assertEqual(_rules(readme.check("README.md", bad, lambda path: source)), ["example"])
        self.assertEqual(_rules(readme.check("README.md", good, lambda path: "none")), ["example"])

    def test_the_map_names_every_package(self):
        paths = ["docs/ARCHITECTURE.md", "a/b/c.cc"]
        self.assertEqual(architecture.check(paths, lambda path: "`a/b/`"), [])
        self.assertEqual(_rules(architecture.check(paths, lambda path: "`a/`")), ["map"])
        self.assertEqual(_rules(architecture.check([], lambda path: "")), ["map"])
        paths = ["docs/ARCHITECTURE.md", "tests/a/b/c.cc"]
        self.assertEqual(architecture.check(paths, lambda path: "`tests/a/`"), [])
        self.assertEqual(_rules(architecture.check(paths, lambda path: "`a/`")), ["map"])

    def test_the_index_links_every_design_page(self):
        paths = ["docs/ARCHITECTURE.md", "docs/design/README.md", "docs/design/ring.md"]
        self.assertEqual(architecture.check(paths, lambda path: "[The ring](ring.md)"), [])
        self.assertEqual(_rules(architecture.check(paths, lambda path: "ring.md")), ["map"])


class TreeTest(unittest.TestCase):
    def test_finds_in_a_tree_without_git(self):
        with tempfile.TemporaryDirectory() as root:
            with open(os.path.join(root, "a.cc"), "w", encoding="utf-8") as f:
                f.write("int a; \n")
            found, _, files = tidy.check_tree(root)
            self.assertEqual(files, 1)
            self.assertEqual(sorted(_rules(found)), ["build", "map", "space"])


if __name__ == "__main__":
    unittest.main()
