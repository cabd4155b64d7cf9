"""The demo with its decode server on another host: here both are one, over loopback."""
import os
import subprocess
import tempfile
import unittest

LIMIT_S = 240


def _built(name: str) -> str:
    return os.path.abspath("tests/demo/" + name)


class TwoHostsDemoTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(dir="/tmp", prefix="b")
        self.addCleanup(folder.cleanup)
        self.host = subprocess.Popen(
            [_built("remote/demo_host"), "--listen=127.0.0.1:0", "--folder=" + folder.name],
            stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.host.stdout.close)
        self.addCleanup(self.host.wait)
        self.addCleanup(self.host.kill)
        self.address = self.host.stdout.readline().strip()

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


if __name__ == "__main__":
    unittest.main()
