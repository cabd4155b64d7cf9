"""Pods with addresses of their own, as network namespaces: the demo across them, and everything
restarted one by one under load."""
import os
import re
import subprocess
import tempfile
import time
import unittest

from tests.deploy import networks

BUILT = os.path.abspath("bazel-bin")
BOOTSTRAP = BUILT + "/bootstrap_service/app/baton-bootstrap"
AGENT = BUILT + "/transfer_agent/app/baton-agent"
BATONCTL = BUILT + "/client/ctl/batonctl"
DEMO = BUILT + "/tests/demo/"
CHAOS = BUILT + "/tests/chaos/chaos"
LIMIT_S = 170
LAST = re.compile(r"chaos: seed \d+, (\d+) faults, (\d+) rooms \((\d+) done, (\d+) of them beside "
                  r"the faults\), (\d+) pages checked, (\d+) violations")


@unittest.skipUnless(os.geteuid() == 0, "network namespaces need root")
class RolloutTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        networks.enter()
        cls.pods = ["bootstrap", "pod0", "pod1", "pod2", "pod3"]
        cls.address = {name: networks.add(name, 10 + i) for i, name in enumerate(cls.pods)}

    def setUp(self):
        folder = tempfile.TemporaryDirectory(dir="/tmp", prefix="b")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def start(self, name: str, *command: str, **kwargs) -> subprocess.Popen:
        program = subprocess.Popen(networks.inside(name, *command), stdin=subprocess.DEVNULL,
                                   text=True, **kwargs)
        self.addCleanup(program.wait)
        self.addCleanup(program.kill)
        return program

    def log(self, name: str):
        file = open(os.path.join(self.folder, name), "w", encoding="utf-8")
        self.addCleanup(file.close)
        return file

    def places(self) -> list[str]:
        return ["--place=%s@%s" % (name, self.address[name]) for name in self.pods]

    def start_pod(self, name: str, bootstrap: str) -> subprocess.Popen:
        """An agent and a demo_host that meet in a folder, as in the overlay loopback-demo."""
        run = os.path.join(self.folder, name)
        os.mkdir(run)
        address = self.address[name]
        agent = self.start(name, AGENT, "--bootstrap=" + bootstrap, "--listen=%s:7421" % address,
                           "--attach_socket=%s/attach.sock" % run, "--transport=tcp",
                           "--service_socket=%s/agent.sock" % run, stderr=self.log(name + ".log"))
        self.start(name, DEMO + "remote/demo_host", "--listen=%s:7000" % address,
                   "--folder=" + run, stdout=subprocess.DEVNULL)
        return agent

    def start_service(self) -> str:
        address = self.address["bootstrap"] + ":7411"
        self.start("bootstrap", BOOTSTRAP, "--listen=" + address, "--settle=none",
                   stderr=self.log("bootstrap.log"))
        return address

    def test_the_demo_passes_across_four_pods_and_agents_end_when_told(self):
        bootstrap = self.start_service()
        agents = [self.start_pod(name, bootstrap) for name in self.pods[1:3]]
        done = subprocess.run(networks.inside(
            "pod2", DEMO + "demo", "--short", "--transport=tcp", "--prefill_topology=tp2",
            "--bootstrap=" + bootstrap, "--attach_socket=attach.sock",
            "--prefill_on=%s:7000" % self.address["pod0"],
            "--decode_on=%s:7000" % self.address["pod1"]),
            capture_output=True, text=True, timeout=LIMIT_S, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertRegex(done.stdout, r"(?m)^demo: PASS ")
        # From a pod that has no part in it.
        seen = subprocess.run(networks.inside("pod3", BATONCTL, "server", "list",
                                              "--bootstrap=" + bootstrap),
                              capture_output=True, text=True, timeout=LIMIT_S, check=False)
        self.assertEqual(seen.returncode, 0, seen.stdout + seen.stderr)
        for agent in agents:
            agent.terminate()
            self.assertEqual(agent.wait(timeout=LIMIT_S), 0)

    def test_a_pod_is_reached_through_its_own_address_alone(self):
        bootstrap = self.start_service()
        deadline = time.monotonic() + LIMIT_S
        command = [BATONCTL, "server", "list", "--timeout_ms=500"]
        while subprocess.run(networks.inside("pod0", *command, "--bootstrap=" + bootstrap),
                             capture_output=True, check=False).returncode != 0:
            self.assertLess(time.monotonic(), deadline)
        # The same port of the pod's own loopback has nobody: the namespaces are apart.
        other = subprocess.run(networks.inside("pod0", *command, "--bootstrap=127.0.0.1:7411"),
                               capture_output=True, check=False)
        self.assertEqual(other.returncode, 4)

    def chaos(self, *flags: str) -> tuple[int, str]:
        done = subprocess.run([CHAOS, "--seed=3", "--transport=auto", *self.places(), *flags],
                              capture_output=True, text=True, timeout=LIMIT_S, check=False)
        return done.returncode, done.stdout + done.stderr

    def test_a_rolling_restart_under_load_fails_only_rooms_of_the_pod_whose_turn_it_is(self):
        status, output = self.chaos("--rolling")
        match = LAST.match(output.strip().splitlines()[-1])
        self.assertIsNotNone(match, output)
        faults, rooms, done, calm, pages, violations = [int(g) for g in match.groups()]
        self.assertEqual((status, violations), (0, 0), output)
        # Each pod drained and started anew, the bootstrap service restarted, one pod killed.
        self.assertEqual(faults, 4 + 4 + 1 + 1, output)
        self.assertGreater(calm, 100, output)
        self.assertGreaterEqual(done, calm, output)
        self.assertGreaterEqual(rooms, done, output)
        self.assertGreater(pages, 1000, output)

    def test_a_wrong_page_would_be_noticed(self):
        status, output = self.chaos("--seconds=1", "--corrupt")
        self.assertNotEqual(status, 0, output)
        self.assertIn("VIOLATION room", output)


if __name__ == "__main__":
    unittest.main()
