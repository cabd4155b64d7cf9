"""A second decode server comes with the id of a room that has its own: it alone pays."""
import unittest

from tests.e2e.field import fleet


class StrangersTest(fleet.FieldTest):
    def start(self, transport: str, second: str, **second_is: object) -> None:
        bootstrap = self.bootstrap()
        p, a, b = (self.agent(name, bootstrap.address(), transport=transport) for name in "pab")
        self.source = self.engine(p, role="prefill", server="prefill-a")
        both = {"role": "decode", "dp_size": 1 + int(second_is.get("dp", 0))}
        self.first = self.engine(a, server="decode-a", **both)
        self.second = self.engine(b, server=second, **both, **second_is)
        # Everybody knows everybody.
        self.land(self.source, self.first)
        self.land(self.source, self.second)

    def offered(self) -> None:
        self.source.ok("fill", value=7)
        self.source.ok("open-send", "r", id=900, tokens=100)
        self.first.ok("open-receive", "r", id=900, tokens=100)
        self.assertTrue(self.source.ok("wait", "r", phase="offered").startswith("offered"))

    def refused(self, **values: object) -> None:
        self.second.ok("fill", value=0)
        self.second.ok("open-receive", "r", id=900, **{"tokens": 100, **values})
        self.assertIn("ROOM_IN_USE: room 900#1 is that of dp rank 0 of decode-a",
                      self.fails(self.second, "r", ms=30000))
        self.second.ok("close", "r")

    def lands(self) -> None:
        self.source.ok("send", "r", begin=64)
        for engine in (self.first, self.source):
            self.assertTrue(engine.ok("wait", "r").startswith("done"))
            engine.ok("close", "r")
        # The seventh page has four of its sixteen tokens.
        self.assertEqual(self.first.ok("check", value=7, pages=6), "differing=0")
        self.assertEqual(self.second.ok("check", value=0), "differing=0")

    def test_of_another_server(self):
        self.start("tcp", "decode-b")
        self.offered()
        self.refused()
        self.refused(tokens=120, prefix=16)
        self.source.ok("send", "r", end=64, last=0)
        self.refused()
        self.lands()

    def test_of_another_dp_rank_over_shared_memory(self):
        self.start("shm", "decode-a", dp=1)
        self.offered()
        self.refused()
        self.source.ok("send", "r", end=64, last=0)
        self.refused()
        self.lands()

    def test_of_another_server_when_both_were_there_first(self):
        self.start("tcp", "decode-b")
        self.first.ok("open-receive", "r", id=900, tokens=100)
        self.first.ok("wait", "r", phase="offered")
        # A room of the first that lands shows that its agent's offers are there.
        self.first.ok("open-receive", "behind", id=901, first_page=20)
        self.source.ok("open-send", "behind", id=901)
        self.source.ok("send", "behind")
        self.first.ok("wait", "behind")
        self.refused()
        self.source.ok("fill", value=7)
        self.source.ok("open-send", "r", id=900, tokens=100)
        self.source.ok("send", "r", end=64, last=0)
        self.lands()


if __name__ == "__main__":
    unittest.main()
