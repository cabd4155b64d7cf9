"""The demo as a whole: real processes, real bytes, and what it says when something is wrong."""
import glob
import os
import re
import signal
import socket
import subprocess
import tempfile
import time
import unittest

DEMO = os.path.abspath("tests/demo/demo")
# Far beyond what a passing run takes; sanitizers and a loaded machine are slow.
LIMIT_S = 240


def run(*flags: str) -> subprocess.CompletedProcess:
    return subprocess.run([DEMO, *flags], capture_output=True, text=True, timeout=LIMIT_S,
                          check=False)


def last_line(result: subprocess.CompletedProcess) -> str:
    lines = [line for line in result.stdout.splitlines() if line.strip()]
    return lines[-1] if lines else ""


def processes_with(word: str) -> list[int]:
    """Processes whose command line holds `word`."""
    found = []
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        try:
            with open(path, "rb") as file:
                if word.encode() in file.read():
                    found.append(int(path.split("/")[2]))
        except OSError:
            continue
    return found


class DemoTest(unittest.TestCase):
    def expect_pass(self, *flags: str) -> str:
        result = run(*flags)
        self.assertTrue(last_line(result).startswith("demo: PASS "), result.stdout + result.stderr)
        self.assertEqual(result.returncode, 0)
        return result.stdout

    def expect_fail(self, *flags: str) -> str:
        result = run(*flags)
        self.assertTrue(last_line(result).startswith("demo: FAIL "), result.stdout + result.stderr)
        self.assertNotEqual(result.returncode, 0)
        return last_line(result)

    def test_hands_over_and_checks_every_byte_over_both_transports(self):
        output = self.expect_pass("--short")
        for transport in ("tcp", "shm"):
            self.assertRegex(output, r"(?m)^llama-3-8b +%s +[1-9]\d* " % transport)

    def test_notices_a_flipped_byte(self):
        line = self.expect_fail("--short", "--transport=auto", "--corrupt")
        self.assertRegex(line, r"^demo: FAIL room \d+#\d+ layer \d+ \w+ page \d+ byte \d+ ")

    def test_names_the_trace_line_that_is_wrong(self):
        with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as trace:
            trace.write('{"timestamp": 0, "input_length": 9, "output_length": 1}\nnot json\n')
            trace.flush()
            line = self.expect_fail("--short", "--trace=" + trace.name)
        self.assertIn(":2: not a JSON object", line)

    def test_names_the_port_that_is_in_use(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            address = "127.0.0.1:%d" % taken.getsockname()[1]
            result = run("--short", "--bootstrap_listen=" + address)
        self.assertTrue(last_line(result).startswith("demo: FAIL "), result.stdout)
        self.assertIn("--listen", result.stdout)
        self.assertIn(address, result.stdout)

    def test_names_the_flag_that_is_wrong(self):
        self.assertIn("--preset", self.expect_fail("--preset=gpt-2"))
        self.assertIn("pp2", self.expect_fail("--short", "--prefill_topology=pp2,stages:1"))

    def test_a_killed_demo_leaves_no_process_behind(self):
        demo = subprocess.Popen([DEMO, "--seconds=120", "--preset=mla", "--keep_logs"],
                                stdout=subprocess.PIPE, text=True)
        try:
            folder = re.search(r"/tmp/baton-demo\.\w+", demo.stdout.readline()).group(0)
            self.wait_for(lambda: len(processes_with(folder)) >= 4)
        finally:
            demo.send_signal(signal.SIGKILL)
            demo.wait()
            demo.stdout.close()
        self.wait_for(lambda: not processes_with(folder))

    def test_an_interrupted_demo_fails_and_cleans_up(self):
        # A folder of its own, with a short name for the sockets in it: other demos run beside this.
        folder = tempfile.TemporaryDirectory(dir="/tmp", prefix="b")
        self.addCleanup(folder.cleanup)
        demo = subprocess.Popen([DEMO, "--seconds=120", "--preset=mla"], stdout=subprocess.PIPE,
                                text=True, env={**os.environ, "TMPDIR": folder.name})
        while "rooms" not in demo.stdout.readline():
            self.assertIsNone(demo.poll())
        demo.send_signal(signal.SIGINT)
        output = demo.communicate(timeout=LIMIT_S)[0]
        self.assertIn("demo: FAIL interrupted", output)
        self.assertEqual(os.listdir(folder.name), [])

    def wait_for(self, condition):
        end = time.monotonic() + 60
        while not condition():
            self.assertLess(time.monotonic(), end)
            time.sleep(0.01)


if __name__ == "__main__":
    unittest.main()
