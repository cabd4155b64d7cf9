"""RDMA that is asked for and is not there: no start without it, and no start that hides it."""
import os
import subprocess
import tempfile
import unittest

from tests.programs import program

# No adapter has this name, also where there are some.
ABSENT = {"verbs_devices": "absent0"}


class ChosenPathTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def test_verbs_that_is_asked_for_and_does_not_work_is_no_start(self):
        flags = {"bootstrap": "127.0.0.1:1", "transport": "verbs", **ABSENT,
                 "attach_socket": os.path.join(self.folder, "attach.sock"),
                 "service_socket": os.path.join(self.folder, "service.sock")}
        result = subprocess.run([program.AGENT] + ["--%s=%s" % flag for flag in flags.items()],
                                capture_output=True, text=True, timeout=program.LIMIT_S,
                                check=False)
        self.assertGreater(result.returncode, 0, result.stderr)
        said = [line for line in result.stderr.splitlines() if line.startswith("baton-agent: ")]
        self.assertEqual(len(said), 1, result.stderr)
        self.assertIn("absent0", said[0])

    def test_a_path_that_is_off_is_in_the_log_with_its_cause(self):
        agent = program.start_agent(self, self.folder, "127.0.0.1:1", transport="auto", **ABSENT)
        agent.address()
        log = agent.log()
        off = [line for line in log.splitlines() if "transport verbs is off: " in line]
        self.assertEqual(len(off), 1, log)
        self.assertNotEqual(off[0].split("is off: ")[1].strip(), "")
        self.assertIn("transport tcp: ", log)


if __name__ == "__main__":
    unittest.main()
