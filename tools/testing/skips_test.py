import unittest

from tools.testing import skips
from tools.testing import tally

_LIST = "# comment\n\n//a:b Ring.NeedsADevice only on machines with a device\n"


class SkipsTest(unittest.TestCase):
    def test_a_listed_skip_stays_a_skip_and_shows_its_reason(self):
        result = tally.Tally(1, [], ["//a:b Ring.NeedsADevice: ring.cc:9"])
        skips.refuse_unlisted(result, skips.read_allowed(_LIST))
        self.assertEqual(result.failed, [])
        self.assertIn("only on machines with a device", result.skipped[0])

    def test_any_other_skip_is_a_failure(self):
        result = tally.Tally(1, [], ["//a:b Ring.Other: ring.cc:9", "//a:c Ring.NeedsADevice: x"])
        skips.refuse_unlisted(result, skips.read_allowed(_LIST))
        self.assertEqual(result.skipped, [])
        self.assertEqual(len(result.failed), 2)

    def test_a_line_without_a_reason_is_refused(self):
        for line in ("//a:b Ring.X", "Ring.X because it is so", "//a:b"):
            with self.assertRaisesRegex(skips.BadSkipList, "line 1"):
                skips.read_allowed(line)


if __name__ == "__main__":
    unittest.main()
