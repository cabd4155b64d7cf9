"""Both example routers say where the demo's rooms go, and every byte arrives."""
import glob
import os
import subprocess
import sys
import tempfile
import time
import unittest

import grpc

sys.path.insert(0, os.path.abspath("client/python/v1"))
# pylint: disable=wrong-import-position
from baton.v1 import bootstrap_pb2_grpc
from baton.v1 import registry_pb2

DEMO = os.path.abspath("tests/demo/demo")
EXAMPLES = os.path.abspath("client/examples")
# Far beyond what a passing run takes.
LIMIT_S = 240


def demo(router: str) -> subprocess.CompletedProcess:
    return subprocess.run([DEMO, "--short", "--transport=tcp", "--prefill_topology=dp2,tp2",
                           "--decode_topology=dp2", "--router=" + router],
                          capture_output=True, text=True, timeout=LIMIT_S, check=False)


class RoutersTest(unittest.TestCase):
    def expect_pass(self, router: str):
        result = demo(router)
        self.assertIn("demo: PASS ", result.stdout, result.stdout + result.stderr)
        self.assertEqual(result.returncode, 0)

    def test_the_router_in_cpp_drives_the_demo(self):
        self.expect_pass(os.path.join(EXAMPLES, "router_example"))

    def test_the_router_in_python_drives_the_demo(self):
        self.expect_pass(os.path.join(EXAMPLES, "router_example.sh"))

    def test_a_router_that_answers_nonsense_is_quoted(self):
        with tempfile.TemporaryDirectory() as folder:
            router = os.path.join(folder, "router")
            with open(router, "w", encoding="utf-8") as file:
                file.write("#!/bin/sh\nread model; echo 1 2 prefill 0 elsewhere 0; cat\n")
            os.chmod(router, 0o755)
            result = demo(router)
        self.assertIn("demo: FAIL the router picked prefill dp0 and elsewhere dp0", result.stdout)
        self.assertNotEqual(result.returncode, 0)

    def test_servers_report_their_rooms_while_they_work(self):
        # A folder of its own, with a short name for the sockets in it.
        folder = tempfile.TemporaryDirectory(dir="/tmp", prefix="r")
        self.addCleanup(folder.cleanup)
        demo_run = subprocess.Popen([DEMO, "--seconds=60", "--preset=mla", "--transport=tcp"],
                                    stdout=subprocess.DEVNULL,
                                    env={**os.environ, "TMPDIR": folder.name})
        self.addCleanup(demo_run.wait)
        self.addCleanup(demo_run.terminate)
        ports = os.path.join(folder.name, "*", "*", "bootstrap.port")
        self.wait_for(lambda: glob.glob(ports))
        with open(glob.glob(ports)[0], encoding="utf-8") as file:
            address = file.read().strip()
        with grpc.insecure_channel(address) as channel:
            stub = bootstrap_pb2_grpc.BootstrapStub(channel)

            def busy():
                answer = stub.ListServers(registry_pb2.ListServersRequest(), timeout=10)
                loads = [server.load for server in answer.servers]
                return len(loads) == 2 and all(
                    load.rooms > 0 and load.bytes_per_second > 0 and load.healthy
                    for load in loads)

            self.wait_for(busy)

    def wait_for(self, condition):
        end = time.monotonic() + 50
        while not condition():
            self.assertLess(time.monotonic(), end)
            time.sleep(0.02)


if __name__ == "__main__":
    unittest.main()
