"""Two deployments, or two pods, in each other's place: the first cause is kept and shown."""
import unittest

from tests.e2e.field import fleet
from tests.programs import program


class TwinsTest(fleet.FieldTest):
    def test_pods_of_one_server_with_two_launch_ids_say_so(self):
        bootstrap = self.bootstrap(lease_ms="500")
        first = self.agent("first", bootstrap.address())
        second = self.agent("second", bootstrap.address())
        engine = self.engine(first, server="s", launch="alpha")
        program.eventually(lambda: first.get("/readyz")[0] == 200, "ready")
        self.engine(second, server="s", launch="beta")
        program.eventually(lambda: first.get("/readyz")[0] == 503, "replaced")
        self.tells_both(first, engine, "alpha", "beta", first.address(), second.address())

    def test_pods_that_claim_one_rank_say_so(self):
        bootstrap = self.bootstrap(lease_ms="500")
        agents = [self.agent("twin%d" % i, bootstrap.address()) for i in range(3)]
        engines = [self.engine(agent, server="s", launch="one") for agent in agents]
        program.eventually(
            lambda: sum(agent.get("/readyz")[0] == 503 for agent in agents) == 2, "one holds it")
        ready = [agent for agent in agents if agent.get("/readyz")[0] == 200]
        for agent, engine in zip(agents, engines):
            if agent not in ready:
                self.tells_both(agent, engine, "two pods claim it", agent.address())

    def tells_both(self, agent, engine, *words):
        def told() -> bool:
            engine.ok("open-send", "r", id=1, ms=2000)
            said = engine.ok("wait", "r")
            engine.ok("close", "r")
            return all(word in said for word in words)
        program.eventually(told, "the engine is told " + str(words))
        # Silence of the service later writes over nothing.
        for _ in range(3):
            self.assertTrue(told())
        for word in words:
            self.assertIn(word, self.agent_status(agent))
            self.assertIn(word, agent.log())


if __name__ == "__main__":
    unittest.main()
