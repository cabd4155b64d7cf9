"""The demo with its decode server on another host: here both are one, over loopback."""
import os
import subprocess
import tempfile
import time
import unittest

LIMIT_S = 240


def _built(name: str) -> str:
    return os.path.abspath("tests/demo/" + name)


class DemoTest(unittest.TestCase):
    def start(self, *command: str, **kwargs) -> subprocess.Popen:
        program = subprocess.Popen(command, text=True, **kwargs)
        self.addCleanup(program.wait)
        self.addCleanup(program.kill)
        return program

    def start_host(self) -> tuple[subprocess.Popen, str, str]:
        folder = tempfile.TemporaryDirectory(dir="/tmp", prefix="b")
        self.addCleanup(folder.cleanup)
        host = self.start(_built("remote/demo_host"), "--listen=127.0.0.1:0",
                          "--folder=" + folder.name, stdout=subprocess.PIPE)
        self.addCleanup(host.stdout.close)
        return host, host.stdout.readline().strip(), folder.name


class TwoHostsDemoTest(DemoTest):
    def setUp(self):
        self.host, self.address, _ = self.start_host()

    def demo(self, *flags: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [_built("demo"), "--short", "--decode_on=" + self.address, *flags],
            capture_output=True, text=True, timeout=LIMIT_S, check=False)

    def quit_host(self) -> int:
        subprocess.run([_built("remote/demo_remote"), "--to=" + self.address, "--quit"],
                       timeout=LIMIT_S, check=True)
        return self.host.wait(timeout=LIMIT_S)

    def test_every_byte_is_right_and_nothing_is_left_on_the_other_host(self):
        result = self.demo("--transport=tcp")
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertRegex(result.stdout, r"(?m)^demo: PASS ")
        # It waits for what it has started.
        self.assertEqual(self.quit_host(), 0)

    def test_a_flipped_byte_is_noticed(self):
        result = self.demo("--transport=tcp", "--corrupt")
        self.assertRegex(result.stdout, r"(?m)^demo: FAIL room \d+#\d+ layer ")
        self.assertNotEqual(result.returncode, 0)


class RunningAgentsDemoTest(DemoTest):
    """As in a cluster: service and agents are there, only engines are started and ended."""

    def test_two_runs_one_after_the_other_use_the_same_service_and_agents(self):
        folder = tempfile.TemporaryDirectory(dir="/tmp", prefix="b")
        self.addCleanup(folder.cleanup)
        port_file = folder.name + "/port"
        self.start(os.path.abspath("bootstrap_service/app/baton-bootstrap"), "--settle=none",
                   "--listen=127.0.0.1:0", "--port_file=" + port_file)
        deadline = time.monotonic() + LIMIT_S
        while not os.path.exists(port_file) and time.monotonic() < deadline:
            pass
        with open(port_file, encoding="utf-8") as f:
            bootstrap = f.read().strip()
        flags = ["--short", "--transport=tcp", "--bootstrap=" + bootstrap,
                 "--attach_socket=attach.sock", "--prefill_topology=tp2"]
        for role in ("prefill", "decode"):
            _, address, place = self.start_host()
            self.start(os.path.abspath("transfer_agent/app/baton-agent"), "--transport=tcp",
                       "--bootstrap=" + bootstrap, "--attach_socket=%s/attach.sock" % place,
                       "--service_socket=%s/agent.sock" % place)
            flags.append("--%s_on=%s" % (role, address))
        for _ in range(2):
            result = subprocess.run([_built("demo"), *flags], capture_output=True, text=True,
                                    timeout=LIMIT_S, check=False)
            self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
            self.assertRegex(result.stdout, r"(?m)^demo: PASS ")


if __name__ == "__main__":
    unittest.main()
