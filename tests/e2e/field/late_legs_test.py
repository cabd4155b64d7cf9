"""One leg of a room opens when the other has ended: it is told why, and does not wait."""
import unittest

from tests.e2e.field import fleet

_LONG_MS = 120000  # a leg that waits for its own deadline does not end within the test's patience


class LateLegsTest(fleet.FieldTest):
    def setUp(self):
        super().setUp()
        bootstrap = self.bootstrap()
        _, _, self.source, self.target = self.pair(bootstrap.address())

    def expires(self, engine: fleet.Engine, command: str, room: int) -> None:
        engine.ok(command, "r", id=room, ms=300)
        self.assertIn("DEADLINE", self.fails(engine, "r"))
        engine.ok("close", "r")

    def test_the_target_is_told_that_its_source_had_expired(self):
        self.expires(self.source, "open-send", 900)
        self.learns(self.target, "open-receive", 900)

    def test_the_source_is_told_that_its_target_had_expired(self):
        self.expires(self.target, "open-receive", 901)
        self.learns(self.source, "open-send", 901)

    def test_the_target_is_told_that_its_source_was_refused(self):
        self.source.ok("open-send", "r", id=902, tokens=1 << 40)
        self.assertIn("TOO_LARGE", self.source.ok("wait", "r"))
        self.source.ok("close", "r")
        self.learns(self.target, "open-receive", 902, "TOO_LARGE")

    def test_an_id_without_a_nonce_is_used_again_once_both_have_learnt(self):
        self.source.ok("open-send", "r", id=903, nonce=0, ms=300)
        self.source.ok("wait", "r")
        self.source.ok("close", "r")
        self.learns(self.target, "open-receive", 903, nonce=0)
        self.source.ok("fill", value=9)
        self.source.ok("open-send", "r", id=903, nonce=0)
        self.source.ok("send", "r")
        self.target.ok("open-receive", "r", id=903, nonce=0)
        self.assertTrue(self.target.ok("wait", "r").startswith("done"))
        self.assertEqual(self.target.ok("check", value=9, pages=4), "differing=0")

    def learns(self, engine: fleet.Engine, command: str, room: int, why: str = "DEADLINE",
               nonce: int = 1) -> None:
        engine.ok(command, "r", id=room, nonce=nonce, ms=_LONG_MS)
        self.assertIn(why, self.fails(engine, "r", ms=_LONG_MS // 2))
        engine.ok("close", "r")


if __name__ == "__main__":
    unittest.main()
