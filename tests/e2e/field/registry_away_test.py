"""The bootstrap service is away, stopped or slow: servers that know each other go on."""
import unittest

from tests.e2e.field import fleet
from tests.programs import program


def silent(agent: program.Program):
    return lambda: "has not been heard" in agent.get("/")[1]


class RegistryAwayTest(fleet.FieldTest):
    def test_rooms_of_known_pairs_land_while_a_killed_service_is_away(self):
        bootstrap = self.bootstrap(lease_ms="500")
        p, d, source, target = self.pair(bootstrap.address())
        bootstrap.process.kill()
        bootstrap.wait()
        self.goes_on(p, d, source, target)

    def test_rooms_of_known_pairs_land_while_a_stopped_service_is_away(self):
        bootstrap = self.bootstrap(lease_ms="500")
        p, d, source, target = self.pair(bootstrap.address())
        self.stop(bootstrap)
        self.goes_on(p, d, source, target)

    def goes_on(self, p, d, source, target):
        for agent in (p, d):
            program.eventually(silent(agent), "notices that the service is away")
        for _ in range(3):
            self.land(source, target)
        for agent in (p, d):
            # A probe that fails here would take the whole fleet out of service at once.
            self.assertEqual(agent.get("/readyz"), (200, "ok\n"))
            self.assertIn("has not been heard", self.agent_status(agent))

    def test_a_server_that_nobody_knows_waits_while_the_service_is_away(self):
        bootstrap = self.bootstrap(lease_ms="500")
        _, d, _, target = self.pair(bootstrap.address())
        self.stop(bootstrap)
        program.eventually(silent(d), "notices that the service is away")
        target.ok("open-receive", "u", id=9, server="prefill-z", ms=1500)
        said = target.ok("wait", "u")
        self.assertIn("DEADLINE", said)
        self.assertIn("prefill-z: no such server", said)

    def test_a_rank_that_the_service_has_never_heard_of_says_so(self):
        p = self.agent("p", "127.0.0.1:1")
        engine = self.engine(p, role="prefill")
        program.eventually(lambda: "waits for" in p.get("/readyz")[1], "not ready")
        program.eventually(lambda: self.refused(engine), "refuses")

    def refused(self, engine: fleet.Engine) -> bool:
        engine.ok("open-send", "r", id=1, ms=200)
        said = engine.ok("wait", "r")
        engine.ok("close", "r")
        return "NOT_READY" in said or "PEER_LOST" in said


if __name__ == "__main__":
    unittest.main()
