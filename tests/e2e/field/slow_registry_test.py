"""The bootstrap service's answers are late: a start storm, a far zone, a starved machine."""
import unittest

from tests.e2e.field import fleet, slow_proxy
from tests.programs import program


class SlowRegistryTest(fleet.FieldTest):
    def test_agents_register_where_each_answer_takes_longer_than_a_reconnect(self):
        self.registers(delay_s=0.6)

    def test_agents_register_where_each_answer_takes_as_long_as_a_lease(self):
        self.registers(delay_s=3.1)

    def registers(self, delay_s: float):
        proxy = slow_proxy.SlowProxy(self.bootstrap().address(), delay_s)
        self.addCleanup(proxy.end)
        _, d, _, _ = self.pair(proxy.address)
        program.eventually(lambda: d.get("/readyz")[0] == 200, "ready")
        # The registrar's and the directory's, of each agent: none was given up and made anew.
        self.assertLessEqual(proxy.connections, 4)


if __name__ == "__main__":
    unittest.main()
