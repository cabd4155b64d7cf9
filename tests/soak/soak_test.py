"""A short soak: everything is restarted once, and nothing is lost or kept that should not be."""
import json
import os
import re
import subprocess
import tempfile
import unittest

SOAK = os.path.abspath("tests/soak/soak")
LIMIT_S = 280
LAST = re.compile(r"soak: seed \d+, \d+ s, (\d+) restarts, (\d+) rooms \((\d+) done, "
                  r"(\d+) lost to restarts, (\d+) lost without one\), (\d+) pages checked, .*, "
                  r"(\d+) violations")


class SoakTest(unittest.TestCase):
    def test_restarts_lose_only_what_was_in_the_process_and_leave_nothing_behind(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "soak.json")
            # Every process has its turn once, and is looked at before and after.
            result = subprocess.run(
                [SOAK, "--seconds=28", "--restart_every=5", "--sample_every=1", "--warm_up=1",
                 "--rate=40", "--seed=7", "--json=" + path],
                capture_output=True, text=True, timeout=LIMIT_S, check=False)
            output = result.stdout + result.stderr
            self.assertEqual(result.returncode, 0, output)
            with open(path, encoding="utf-8") as file:
                kept = json.load(file)
        match = LAST.match(result.stdout.strip().splitlines()[-1])
        self.assertIsNotNone(match, output)
        restarts, rooms, done, to_restarts, without, pages, violations = map(int, match.groups())
        self.assertEqual((violations, without), (0, 0), output)
        self.assertGreater(restarts, 2, output)
        self.assertEqual(rooms, done + to_restarts, output)
        self.assertGreater(done, 300, output)
        self.assertGreater(pages, 1000, output)
        self.assertEqual(kept["done"], done)
        self.assertEqual(sum(kept["restarts"].values()), restarts)
        sampled = {(row["process"], row["what"]) for row in kept["series"]}
        for process in ("bootstrap", "prefill-0 agent", "decode-2 engine"):
            for what in ("anonymous memory, KiB", "descriptors", "threads"):
                self.assertIn((process, what), sampled)
        self.assertIn(("decode-2 agent", "baton_open_rooms"), sampled)
        self.assertIn(("bootstrap", "baton_bound_rooms"), sampled)


if __name__ == "__main__":
    unittest.main()
