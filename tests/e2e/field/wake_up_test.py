"""News that waits for the next heartbeat: with a beat a minute it would come too late."""
import unittest

from tests.e2e.field import fleet


class WakeUpTest(fleet.FieldTest):
    def test_the_first_room_of_a_fresh_pair_waits_for_no_heartbeat(self):
        bootstrap = self.bootstrap()
        beat = {"heartbeat_ms": "60000", "silence_ms": "600000"}
        p = self.agent("p", bootstrap.address(), **beat)
        source = self.engine(p, role="prefill", server="prefill-a")
        # Which of two streams comes last is chance.
        for i in range(8):
            d = self.agent("d%d" % i, bootstrap.address(), **beat)
            target = self.engine(d, role="decode", server="decode-%d" % i)
            self.land(source, target, ms=20000)


if __name__ == "__main__":
    unittest.main()
