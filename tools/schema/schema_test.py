"""Every call of the schema says what a client must know, and docs/errors.md says it on."""
import os
import unittest

from tools.schema import errors_page
from tools.schema import reasons
from tools.schema import rpcs


def _workspace() -> str:
    """The runfiles are links into the tree."""
    here = os.path.realpath(__file__)
    return os.path.dirname(os.path.dirname(os.path.dirname(here)))


_GOOD = """
// All of it.
//
// Errors of every call: BAD_MESSAGE (always).
service Thing {
  // Does it
  // twice.
  //
  // Idempotent: yes,
  // really.
  // Order: none.
  // Deadline: required.
  // Errors: FULL (too MANY), NOT_READY.
  rpc Do(DoRequest) returns (DoResponse);
}
"""
_KNOWN = {"FULL", "NOT_READY", "BAD_MESSAGE"}


class RpcsTest(unittest.TestCase):
    def test_reads_prose_facts_and_reasons(self):
        (rpc,), shared = rpcs.read("x.proto", _GOOD)
        self.assertEqual(rpc.full_name, "Thing.Do")
        self.assertEqual(rpc.prose, "Does it twice.")
        self.assertEqual(rpc.facts["Idempotent"], "yes, really.")
        self.assertEqual(rpc.reasons(), ["FULL", "NOT_READY"])
        self.assertEqual(shared, {"Thing": ["BAD_MESSAGE"]})
        self.assertEqual(rpcs.complaints(rpc, _KNOWN), [])

    def test_every_missing_fact_is_a_complaint(self):
        for fact in rpcs.FACTS:
            (rpc,), _ = rpcs.read("x.proto", _GOOD.replace("  // %s:" % fact, "  //\n  // "))
            found = rpcs.complaints(rpc, _KNOWN)
            self.assertTrue(any("'%s: ...'" % fact in each for each in found), found)

    def test_an_rpc_without_a_comment_is_a_complaint(self):
        (rpc,), _ = rpcs.read("x.proto", "service A {\n  rpc B(C) returns (D);\n}\n")
        self.assertEqual(len(rpcs.complaints(rpc, _KNOWN)), 1 + len(rpcs.FACTS))

    def test_a_reason_that_is_none_is_a_complaint(self):
        (rpc,), _ = rpcs.read("x.proto", _GOOD.replace("NOT_READY", "NOT_REDDY"))
        self.assertIn("NOT_REDDY is no reason", rpcs.complaints(rpc, _KNOWN)[0])


class ReasonsTest(unittest.TestCase):
    def test_reads_rows_over_several_lines(self):
        header = ('#define BATON_REASONS(X)  \\\n  X(kUnknown, UNKNOWN, kUnknown, "read") \\\n'
                  '  X(kBadSpec, BAD_SPEC, kInvalidArgument, \\\n    "correct the " "field")\n\n'
                  'enum class Reason')
        rows = reasons.read(header)
        self.assertEqual([r.name for r in rows], ["UNKNOWN", "BAD_SPEC"])
        self.assertEqual(rows[1].code, "INVALID_ARGUMENT")
        self.assertEqual(rows[1].help, "correct the field")
        with self.assertRaises(ValueError):
            reasons.read(header.replace("kInvalidArgument,", "kInvalidArgument"))


class TreeTest(unittest.TestCase):
    def test_every_call_of_the_schema_is_described(self):
        found, _ = errors_page.calls(_workspace())
        self.assertGreaterEqual(len(found), 16)
        known = {reason.name for reason in errors_page.table(_workspace())}
        complaints = [line for rpc in found for line in rpcs.complaints(rpc, known)]
        self.assertEqual(complaints, [])

    def test_the_page_of_errors_is_what_the_table_and_the_schema_say(self):
        with open(os.path.join(_workspace(), errors_page.PAGE), encoding="utf-8") as file:
            page = file.read()
        self.assertEqual(page, errors_page.render(_workspace()), "run make docs-errors")


if __name__ == "__main__":
    unittest.main()
