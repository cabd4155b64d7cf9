"""console: a guest is believed by what it says of its end, and by nothing else."""
import os
import unittest

from tools.rdma_bed import console


def _heard(*lines: str) -> console.Console:
    heard = console.Console(1)
    for line in lines:
        heard.add(line)
    return heard


class FailureTest(unittest.TestCase):
    def test_a_command_that_ended_well_has_none(self):
        self.assertEqual(_heard("hello", "@bed status 0", "@bed end").failure(), "")

    def test_silence_is_one(self):
        self.assertIn("never said", _heard("hello").failure())

    def test_an_exit_status_is_one(self):
        self.assertEqual(_heard("@bed status 3").failure(), "exit status 3")

    def test_running_out_of_time_is_one(self):
        self.assertEqual(_heard("@bed status 124").failure(), "ran out of time")

    def test_a_guest_that_could_not_start_is_one(self):
        self.assertIn("no tmpfs", _heard("@bed broken: no tmpfs").failure())


class FollowTest(unittest.TestCase):
    def follow(self, text: bytes, *, close: bool, limit_s: float):
        read_end, write_end = os.pipe()
        with os.fdopen(read_end, "rb") as pipe, os.fdopen(write_end, "wb") as writer:
            writer.write(text)
            writer.flush()
            if close:
                writer.close()
            heard = [console.Console(1)]
            seen = []
            console.follow([pipe], heard, limit_s, lambda host, line: seen.append((host, line)))
        return heard[0], seen

    def test_it_returns_at_the_end_that_the_guest_says(self):
        heard, seen = self.follow(b"a\r\n@bed kernel 6\n@bed status 0\n@bed end\n", close=False,
                                  limit_s=60)
        self.assertTrue(heard.at_end)
        self.assertEqual((heard.lines, heard.facts, heard.status), (["a"], ["kernel 6"], 0))
        self.assertEqual(seen[0], (1, "a"))

    def test_a_kernel_that_dies_ends_it_and_its_last_words_are_kept(self):
        heard, _ = self.follow(b"Kernel panic", close=True, limit_s=60)
        self.assertEqual((heard.lines, heard.status), (["Kernel panic"], None))

    def test_a_guest_that_hangs_ends_it_at_the_limit(self):
        heard, _ = self.follow(b"a\n", close=False, limit_s=0.05)
        self.assertFalse(heard.at_end)


if __name__ == "__main__":
    unittest.main()
