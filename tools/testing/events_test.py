import json
import unittest

from tools.testing import bazel_tests
from tools.testing import events


def _configured(label, kind="cc_test rule"):
    return json.dumps({"id": {"targetConfigured": {"label": label}},
                       "configured": {"targetKind": kind}})


def _result(label, status, attempt=1, shard=1, xml="/nowhere/a%20b/test.xml"):
    return json.dumps({
        "id": {"testResult": {"label": label, "run": 1, "shard": shard, "attempt": attempt}},
        "testResult": {"status": status, "testActionOutput": [
            {"name": "test.log", "uri": "file:///nowhere/test.log"},
            {"name": "test.xml", "uri": "file://" + xml}]}})


class EventsTest(unittest.TestCase):
    def test_reads_a_result_with_its_files(self):
        targets = events.read_events([_configured("//a:b"), _result("//a:b", "PASSED")])
        shard = targets["//a:b"].shards[(1, 1)]
        self.assertTrue(shard.passed)
        self.assertEqual(shard.xml, "/nowhere/a b/test.xml")
        self.assertEqual(shard.log, "/nowhere/test.log")

    def test_every_status_but_passed_has_failed(self):
        for status in ("FAILED", "TIMEOUT", "INCOMPLETE", "FLAKY", "REMOTE_FAILURE", "NO_STATUS"):
            targets = events.read_events([_result("//a:b", status)])
            self.assertFalse(targets["//a:b"].shards[(1, 1)].passed, status)

    def test_the_last_attempt_counts(self):
        lines = [_result("//a:b", "FAILED", 1), _result("//a:b", "PASSED", 2)]
        for order in (lines, lines[::-1]):
            self.assertTrue(events.read_events(order)["//a:b"].shards[(1, 1)].passed)

    def test_shards_are_kept_apart(self):
        lines = [_result("//a:b", "PASSED", shard=1), _result("//a:b", "FAILED", shard=2)]
        shards = events.read_events(lines)["//a:b"].shards
        self.assertEqual([shards[(1, 1)].passed, shards[(1, 2)].passed], [True, False])

    def test_a_test_that_was_not_run_has_failed(self):
        library = _configured("//a:lib", "cc_library rule")
        targets = events.read_events([_configured("//a:b"), library])
        self.assertEqual(list(targets), ["//a:b"])
        tally = bazel_tests.count(targets)
        self.assertEqual((tally.passed, len(tally.failed)), (0, 1))

    def test_a_cut_off_last_line_is_ignored(self):
        lines = [_result("//a:b", "PASSED"), '{"id":{"testRes']
        self.assertEqual(len(events.read_events(lines)), 1)

    def test_a_passed_target_whose_file_is_gone_has_failed(self):
        tally = bazel_tests.count(events.read_events([_result("//a:b", "PASSED")]))
        self.assertEqual((tally.passed, len(tally.failed)), (0, 1))

    def test_what_a_stop_at_the_budget_left_out_does_not_count(self):
        targets = events.read_events([
            _configured("//a:failed"), _result("//a:failed", "FAILED"),
            _configured("//a:running"), _result("//a:running", "INCOMPLETE"),
            _configured("//a:waiting")])
        tally = bazel_tests.count(targets, stopped=True)
        self.assertEqual(len(tally.failed), 1)
        self.assertIn("//a:failed", tally.failed[0])


if __name__ == "__main__":
    unittest.main()
