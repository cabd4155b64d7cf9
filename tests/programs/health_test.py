"""What both programs say of their health over HTTP, from their start to their end."""
import tempfile
import unittest

from tests.programs import program


class HealthTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def test_a_bootstrap_service_is_ready_once_it_serves(self):
        bootstrap = program.start_bootstrap(self, self.folder)
        self.assertEqual(bootstrap.get("/readyz"), (200, "ok\n"))
        self.assertEqual(bootstrap.get("/healthz"), (200, "ok\n"))

    def test_an_agent_is_ready_once_it_knows_the_servers(self):
        bootstrap = program.start_bootstrap(self, self.folder)
        agent = program.start_agent(self, self.folder, bootstrap.address())
        program.eventually(lambda: agent.get("/readyz") == (200, "ok\n"), "ready")

    def test_an_agent_without_a_bootstrap_service_lives_and_says_what_it_waits_for(self):
        agent = program.start_agent(self, self.folder, "127.0.0.1:1")
        self.assertEqual(agent.get("/healthz"), (200, "ok\n"))
        status, why = agent.get("/readyz")
        self.assertEqual(status, 503)
        self.assertIn("bootstrap service at 127.0.0.1:1", why)

    def test_a_program_that_is_told_to_stop_ends_well(self):
        bootstrap = program.start_bootstrap(self, self.folder)
        agent = program.start_agent(self, self.folder, bootstrap.address())
        self.assertEqual(agent.get("/healthz")[0], 200)
        for stopped in (agent, bootstrap):
            stopped.terminate()
            self.assertEqual(stopped.wait(), 0, stopped.log())


if __name__ == "__main__":
    unittest.main()
