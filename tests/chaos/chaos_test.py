"""A short run of chaos: faults, rooms beside them, no violation; and one that must find some."""
import os
import re
import subprocess
import unittest

CHAOS = os.path.abspath("tests/chaos/chaos")
LIMIT_S = 280
LAST = re.compile(r"chaos: seed \d+, (\d+) faults, (\d+) rooms \((\d+) done, .*, "
                  r"(\d+) pages checked, (\d+) violations")


def run(*flags: str) -> tuple[int, str]:
    result = subprocess.run([CHAOS, *flags], capture_output=True, text=True, timeout=LIMIT_S,
                            check=False)
    return result.returncode, result.stdout + result.stderr


class ChaosTest(unittest.TestCase):
    def counts(self, output: str) -> list[int]:
        match = LAST.match(output.strip().splitlines()[-1])
        self.assertIsNotNone(match, output)
        return [int(group) for group in match.groups()]

    def test_nothing_is_violated_by_kills_stops_and_cuts(self):
        status, output = run("--seconds=10", "--seed=7")
        faults, rooms, done, pages, violations = self.counts(output)
        self.assertEqual((status, violations), (0, 0), output)
        self.assertGreater(faults, 5, output)
        self.assertGreater(rooms, 20, output)
        self.assertGreater(done, 10, output)
        self.assertGreater(pages, 100, output)

    def test_a_flipped_byte_is_a_violation(self):
        status, output = run("--seconds=1", "--seed=7", "--corrupt")
        self.assertNotEqual(status, 0, output)
        self.assertIn("VIOLATION room", output)
        self.assertIn("wrong pages", output)


if __name__ == "__main__":
    unittest.main()
