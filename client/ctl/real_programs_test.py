"""batonctl against a real baton-bootstrap and a real baton-agent."""
import json
import os
import shutil
import stat
import subprocess
import tempfile
import time
import unittest

_CTL = os.path.abspath("client/ctl/batonctl")
_BOOTSTRAP = os.path.abspath("bootstrap_service/app/baton-bootstrap")
_AGENT = os.path.abspath("transfer_agent/app/baton-agent")
_PATIENCE_S = 60


def wait_for_file(path):
    end = time.monotonic() + _PATIENCE_S
    while time.monotonic() < end:
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                return file.read().strip()
        time.sleep(0.02)
    raise AssertionError("%s did not come" % path)


class RealPrograms(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="ctl", dir="/tmp")
        self.addCleanup(shutil.rmtree, self.folder)
        self.environment = dict(os.environ, BATON_TIMEOUT_MS="20000",
                                BATON_SERVICE_SOCKET=self.path("agent.sock"),
                                BATON_ATTACH_SOCKET=self.path("attach.sock"))
        self.start(_BOOTSTRAP, "--listen=127.0.0.1:0", "--probe_listen=127.0.0.1:0",
                   "--port_file=" + self.path("bootstrap"),
                   "--probe_port_file=" + self.path("bootstrap_probe"))
        self.environment["BATON_BOOTSTRAP"] = wait_for_file(self.path("bootstrap"))
        self.start(_AGENT, "--port_file=" + self.path("agent"), "--probe_listen=127.0.0.1:0",
                   "--probe_port_file=" + self.path("agent_probe"))
        self.agent = wait_for_file(self.path("agent"))

    def path(self, name):
        return os.path.join(self.folder, name)

    def start(self, program, *args):
        child = subprocess.Popen([program, *args], env=self.environment,
                                 stderr=subprocess.DEVNULL)

        def stop():
            child.terminate()
            child.wait(timeout=_PATIENCE_S)

        self.addCleanup(stop)

    def ctl(self, *args, status=0):
        done = subprocess.run([_CTL, *args], env=self.environment, capture_output=True, text=True,
                              timeout=_PATIENCE_S, check=False)
        self.assertEqual(done.returncode, status, (args, done.stdout, done.stderr))
        return done.stdout if status in (0, 1) and done.stdout else done.stderr

    def json(self, *args, status=0):
        return json.loads(self.ctl(*args, "-o", "json", status=status))

    def await_serving(self, name, address, service):
        """An agent is ready once its watch has told it of the servers, a moment after its start."""
        command = [_CTL, "health", address, "--service=" + service, "-o", "json"]
        end = time.monotonic() + _PATIENCE_S
        while time.monotonic() < end:
            done = subprocess.run(command, env=self.environment, capture_output=True, text=True,
                                  timeout=_PATIENCE_S, check=False)
            if done.returncode == 0:
                self.assertEqual(json.loads(done.stdout)["status"], "SERVING", (name, service))
                return
            self.assertEqual(done.returncode, 1, (name, service, done.stderr))
        raise AssertionError("never serving: %s of %s" % (service, name))

    def test_looks_at_an_agent_by_its_socket_and_from_elsewhere(self):
        self.assertEqual(self.ctl("server", "list"), "no server is registered\n")
        here = self.json("agent", "status")
        there = self.json("agent", "status", "--agent=" + self.agent)
        self.assertEqual(here["address"], self.agent)
        self.assertEqual(here["epoch"], there["epoch"])
        self.assertEqual(self.ctl("room", "list", "--agent=" + self.agent), "no room is open\n")
        dump = self.json("agent", "dump")
        self.assertIn("transport=auto", dump["settings"])
        self.assertEqual(dump["status"]["epoch"], here["epoch"])

    def test_changes_an_agent_by_its_socket_alone(self):
        for verb in (["agent", "drain"], ["room", "abort", "42"]):
            refused = self.ctl(*verb, "--agent=" + self.agent, status=1)
            self.assertIn("over the agent's own socket only", refused)
        self.assertFalse(self.json("agent", "status")["draining"])
        self.ctl("agent", "drain", "--wait")
        self.ctl("agent", "drain")
        self.assertTrue(self.json("agent", "status")["draining"])

    def test_says_that_nothing_is_there(self):
        self.assertIn("no agent knows room 42", self.ctl("room", "trace", "42", "--here", status=3))
        self.assertIn("knows no agent", self.ctl("room", "trace", "42", status=3))
        self.assertIn("nobody", self.ctl("server", "describe", "nobody", status=3))
        self.assertIn("nobody", self.ctl("server", "drain", "nobody", status=3))
        self.assertIn("nobody", self.ctl("route", "explain", "nobody", "either", status=3))
        self.assertIn("no room", self.ctl("room", "abort", "4x2", status=2))

    def test_asks_the_probes_of_both_programs(self):
        self.ctl("health")
        for name in ("bootstrap_probe", "agent_probe"):
            address = wait_for_file(self.path(name))
            for service in ("startup", "readiness", "liveness"):
                self.await_serving(name, address, service)
            self.ctl("health", address, "--service=lunch", status=3)
        self.ctl("health", "127.0.0.1:1", status=4)

    def test_doctor_looks_at_this_machine(self):
        report = self.json("doctor", "--transport=tcp")
        verdicts = {f["check"]: f["verdict"] for f in report["findings"]}
        for check in ("memfd", "sockets", "names", "bootstrap", "clock", "peers"):
            self.assertEqual(verdicts[check], "CHECK_VERDICT_OK", report)
        self.environment["BATON_BOOTSTRAP"] = "127.0.0.1:1"
        report = self.json("doctor", "--transport=tcp", status=1)
        self.assertEqual(report["failed"], 1, report)

    def test_both_sockets_are_their_owners_alone(self):
        for name in ("agent.sock", "attach.sock"):
            self.assertEqual(stat.S_IMODE(os.stat(self.path(name)).st_mode), 0o600)

    def test_a_bench_of_two_processes(self):
        serve = subprocess.Popen([_CTL, "bench", "serve", "--listen=127.0.0.1:0", "--once"],
                                 env=self.environment, stdout=subprocess.PIPE, text=True)
        address = serve.stdout.readline().split()[-1]
        report = self.json("bench", "write", "--peer=" + address, "--seconds=1", "--pages=8")
        self.assertGreater(report["bytes_per_second"], 0)
        self.assertEqual(serve.wait(timeout=_PATIENCE_S), 0)
        serve.stdout.close()
        self.assertIn("no batonctl bench serve at",
                      self.ctl("bench", "latency", "--peer=127.0.0.1:1", status=4))


if __name__ == "__main__":
    unittest.main()
