"""How long a server that is away is waited for; sglang_pure_test.py has the rest of it."""
import unittest

import baton
from baton.absence import Absences


class AbsencesTest(unittest.TestCase):
    def setUp(self):
        self.time = 100.0
        self.status = baton.PeerStatus(baton.PeerState.READY, "decode-a", 1, 7, False, None)
        self.asked = 0
        self.absences = Absences(self.look, "decode", 3.0, now=lambda: self.time)

    def look(self, _server):
        self.asked += 1
        return self.status

    def test_the_start_that_was_seen_last_is_told(self):
        self.assertEqual(self.absences.start_of("decode-a"), 0)
        self.assertEqual(self.absences.gone("decode-a"), "")
        self.assertEqual(self.absences.start_of("decode-a"), 7)
        self.status = baton.PeerStatus(baton.PeerState.UNKNOWN, "", 0, 0, False, None)
        self.time += 1
        self.absences.gone("decode-a")
        self.assertEqual(self.absences.start_of("decode-a"), 7)

    def test_many_rooms_with_one_server_ask_once(self):
        for _ in range(100):
            self.absences.gone("decode-a")
        self.assertEqual(self.asked, 1)
        self.time += 1
        self.absences.gone("decode-a")
        self.assertEqual(self.asked, 2)

    def test_the_side_that_is_missing_is_named(self):
        self.status = baton.PeerStatus(baton.PeerState.UNKNOWN, "", 0, 0, False, None)
        said = []
        for _ in range(8):
            said.append(self.absences.gone("decode-a"))
            self.time += 0.5
        self.assertEqual(said[:6], [""] * 6)
        self.assertIn("no decode server decode-a is registered", said[-1])


if __name__ == "__main__":
    unittest.main()
