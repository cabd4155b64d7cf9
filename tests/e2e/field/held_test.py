"""Offers that come before their rooms are opened, more of them than anybody means well with."""
import unittest

from tests.e2e.field import fleet
from tests.programs import program


def metric(agent: program.Program, name: str) -> float:
    for line in agent.get("/metrics")[1].splitlines():
        if line.split("{")[0].split(" ")[0] == name:
            return float(line.split(" ")[-1])
    raise AssertionError(name + " is not scraped")


class HeldTest(fleet.FieldTest):
    def setUp(self):
        super().setUp()
        self.registry = self.bootstrap()
        address = self.registry.address()
        self.p = self.agent("p", address, held_offers="8")
        self.hog_agent = self.agent("hog", address)
        self.source = self.engine(self.p, role="prefill", server="prefill-a")
        self.hog = self.engine(self.hog_agent, role="decode", server="decode-hog")

    def flood(self) -> list[str]:
        """Ten rooms that prefill never opens; what became of each."""
        said = []
        for i in range(10):
            self.hog.ok("open-receive", "h%d" % i, id=100 + i, ms=60000)
            said.append(self.hog.say("wait", "h%d" % i, phase="offered"))
        return said

    def test_one_servers_early_offers_leave_room_for_anothers(self):
        said = self.flood()
        self.assertEqual([line.split(" ")[1] for line in said[:4]], ["offered"] * 4, said)
        program.eventually(lambda: "FULL" in self.hog.say("poll", "h9"), "the tenth is refused")
        refused = self.hog.say("poll", "h9")
        self.assertIn("open rooms at prefill before", refused)
        program.eventually(lambda: metric(self.p, "baton_held_offers") == 4, "four are held")
        self.assertGreater(metric(self.p, "baton_held_offer_bytes"), 4000)
        self.assertIn('baton_open_rooms{role="prefill"} 0', self.p.get("/metrics")[1])
        # Another's early offer, and the rank's own rooms.
        d = self.agent("d", self.registry.address())
        target = self.engine(d, role="decode", server="decode-a")
        target.ok("open-receive", "r", id=1)
        self.assertIn("offered", target.ok("wait", "r", phase="offered"))
        self.source.ok("open-send", "r", id=1)
        self.source.ok("send", "r")
        self.assertIn("done", target.ok("wait", "r"))

    def test_held_offers_end_with_their_agent(self):
        self.flood()
        program.eventually(lambda: metric(self.p, "baton_held_offers") == 4, "four are held")
        self.hog_agent.process.kill()
        program.eventually(lambda: metric(self.p, "baton_held_offers") == 0, "none is held")
        self.assertEqual(metric(self.p, "baton_held_offer_bytes"), 0)
        self.source.ok("open-send", "late", id=100)
        # Its link and its channel end at the same time: whichever was seen first is the cause.
        self.assertRegex(self.source.say("wait", "late"), "PEER_LOST|TRANSPORT")


if __name__ == "__main__":
    unittest.main()
