"""What batonctl shows of a demo that runs: the list, the grid, and where a room's time went."""
import json
import os
import subprocess
import tempfile
import time
import unittest

LIMIT_S = 240
_CTL = os.path.abspath("client/ctl/batonctl")


def _built(name: str) -> str:
    return os.path.abspath("tests/demo/" + name)


class OperatorDemoTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(dir="/tmp", prefix="b")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.start(os.path.abspath("bootstrap_service/app/baton-bootstrap"), "--settle=none",
                   "--listen=127.0.0.1:0", "--port_file=" + self.folder + "/port")
        self.poll(lambda: os.path.exists(self.folder + "/port"))
        with open(self.folder + "/port", encoding="utf-8") as f:
            self.bootstrap = f.read().strip()
        flags = ["--seconds=8", "--transport=tcp", "--bootstrap=" + self.bootstrap,
                 "--attach_socket=attach.sock", "--prefill_topology=tp2", "--pool_mib=256"]
        for role in ("prefill", "decode"):
            place = self.folder + "/" + role
            os.mkdir(place)
            host = self.start(_built("remote/demo_host"), "--listen=127.0.0.1:0",
                              "--folder=" + place, stdout=subprocess.PIPE)
            self.addCleanup(host.stdout.close)
            flags.append("--%s_on=%s" % (role, host.stdout.readline().strip()))
            self.start(os.path.abspath("transfer_agent/app/baton-agent"), "--transport=tcp",
                       "--bootstrap=" + self.bootstrap, "--attach_socket=" + place + "/attach.sock",
                       "--service_socket=" + place + "/agent.sock", stderr=subprocess.DEVNULL)
        self.demo = self.start(_built("demo"), *flags, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)

    def start(self, *command: str, **kwargs) -> subprocess.Popen:
        program = subprocess.Popen(command, text=True, **kwargs)
        self.addCleanup(program.wait)
        self.addCleanup(program.kill)
        return program

    def poll(self, condition):
        deadline = time.monotonic() + LIMIT_S
        while time.monotonic() < deadline:
            value = condition()
            if value:
                return value
            time.sleep(0.05)
        raise AssertionError("it did not come")

    def ctl(self, *args: str) -> dict:
        done = subprocess.run([_CTL, *args, "-o", "json", "--bootstrap=" + self.bootstrap,
                               "--timeout_ms=20000"], capture_output=True, text=True,
                              timeout=LIMIT_S, check=False)
        self.assertEqual(done.returncode, 0, (args, done.stderr))
        return json.loads(done.stdout)

    def socket(self, role: str) -> str:
        return "--service_socket=%s/%s/agent.sock" % (self.folder, role)

    def done_room(self):
        """The key of a room that went well, as the decode side's agent has it."""
        if not os.path.exists(self.folder + "/decode/agent.sock"):
            return None
        for trace in self.ctl("agent", "dump", self.socket("decode"))["rooms"]:
            if trace["status"]["state"] == "landed":
                room = trace["status"]["room"]
                return "%s#%s" % (room["id"], room["nonce"])
        return None

    def test_a_room_is_traced_over_all_its_ranks(self):
        key = self.poll(self.done_room)
        report = self.ctl("room", "trace", key)
        ranks = {(t["status"]["rank"]["server"], t["status"]["rank"]["coord"]["tp"]): t
                 for t in report["rooms"]}
        self.assertEqual(sorted({server for server, _ in ranks}), ["decode", "prefill"])
        self.assertEqual(len([1 for server, _ in ranks if server == "prefill"]), 2)
        self.assertEqual(report["agents_asked"], 2)
        for (server, _), trace in ranks.items():
            names = [stage["name"] for stage in trace["stages"]]
            wanted = (["opened", "found", "offered", "landing", "done"] if server == "decode" else
                      ["opened", "offered", "matched", "connected", "posted", "sent", "done"])
            self.assertEqual(sorted(names), sorted(wanted), trace)
            offsets = [int(stage["offset_us"]) for stage in trace["stages"]]
            self.assertEqual(offsets, sorted(offsets))
        # A client that has the id alone finds it too.
        self.assertTrue(self.ctl("room", "trace", key.split("#")[0])["rooms"])

    def test_the_grid_shows_what_the_ranks_move(self):
        def moving():
            for server in self.ctl("top", "--once", "--interval_ms=300")["servers"]:
                for rank in server["ranks"]:
                    if int(rank["bytes_per_second"]) > 0 and int(rank["rooms_done"]) > 0:
                        return server
            return None

        server = self.poll(moving)
        self.assertEqual(server["state"], "ready")
        self.assertIn({"prefill": 2, "decode": 2}.get(server["name"]), (len(server["ranks"]), None))
        self.assertTrue(self.ctl("route", "explain", "prefill", "decode")["usable"])
        self.assertGreaterEqual(len(self.ctl("rank", "list")["ranks"]), 3)


if __name__ == "__main__":
    unittest.main()
