"""An engine that takes the doorbell's count and its O_NONBLOCK away."""
import unittest

from tests.e2e.field import fleet


class DoorbellTest(fleet.FieldTest):
    def test_an_engine_that_tampers_with_its_doorbell_stops_nobody(self):
        bootstrap = self.bootstrap()
        p, d, source, target = self.pair(bootstrap.address(), spin_us="0")
        self.assertNotEqual(source.ok("tamper-doorbell"), "doorbells=0")
        for _ in range(50):
            self.land(source, target)
        for agent in (p, d):
            self.assertEqual(agent.get("/healthz"), (200, "ok\n"))
            agent.terminate()
            self.assertEqual(agent.wait(), 0)


if __name__ == "__main__":
    unittest.main()
