"""SIGTERM with rooms that have ended and whose engine still holds the handle."""
import time
import unittest

from tests.e2e.field import fleet
from tests.programs import program


class DrainTest(fleet.FieldTest):
    def test_a_room_that_is_done_delays_no_end(self):
        bootstrap = self.bootstrap()
        p, d, source, target = self.pair(bootstrap.address(), drain_ms="600000")
        source.ok("open-send", "r", id=77)
        source.ok("send", "r")
        target.ok("open-receive", "r", id=77)
        self.assertTrue(target.ok("wait", "r").startswith("done"))
        self.assertTrue(source.ok("wait", "r").startswith("done"))
        for agent in (p, d):
            agent.terminate()
            # Far less than drain_ms: the wait below fails the test otherwise.
            self.assertEqual(agent.wait(), 0, agent.log())

    def test_a_room_that_runs_is_waited_for(self):
        bootstrap = self.bootstrap()
        p, _, source, target = self.pair(bootstrap.address(), drain_ms="600000")
        source.ok("open-send", "r", id=78)
        target.ok("open-receive", "r", id=78)
        self.assertTrue(source.ok("wait", "r", phase="offered").startswith("offered"))
        p.terminate()
        program.eventually(lambda: "agent drains" in p.log(), "drains")
        ends = time.monotonic() + 0.5
        while time.monotonic() < ends:
            self.assertIsNone(p.process.poll(), "it ended with a room under way")
            time.sleep(0.05)  # Polls, and ends early when it fails.
        source.ok("send", "r")
        self.assertTrue(target.ok("wait", "r").startswith("done"))
        self.assertEqual(p.wait(), 0)


if __name__ == "__main__":
    unittest.main()
