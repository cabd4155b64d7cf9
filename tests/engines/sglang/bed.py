"""What all tests share: a bootstrap service, an agent for each side, and three engines.

Everything runs in a network namespace of its own, so that ports are free to choose."""
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time

from tests.engines.sglang import engines
from tests.engines.sglang import processes

BOOTSTRAP = os.path.abspath("bazel-bin/bootstrap_service/app/baton-bootstrap")
AGENT = os.path.abspath("bazel-bin/transfer_agent/app/baton-agent")
BATONCTL = os.path.abspath("bazel-bin/client/ctl/batonctl")
LIBRARY = os.path.abspath("bazel-bin/client/c/libbaton_c.so")
PACKAGE = os.path.abspath("client/python")
SERVICE = "127.0.0.1:7411"
# Routers name the prefill server by it; nothing listens there.
PREFILL_PORT = 8998
SHARDED_PORT = 8999
# What a decode server on a CPU needs.
RETRACTION = {"disaggregation-decode-retraction-backup": "cpu_tensor"}

_start = time.monotonic()


def say(text: str) -> None:
    print("[%5.1f s] %s" % (time.monotonic() - _start, text), file=sys.stderr, flush=True)


def entry_point(folder: str, name: str, entry: str) -> None:
    """What an installed wheel would have, in a folder for PYTHONPATH."""
    info = os.path.join(folder, name + "-0.dist-info")
    os.makedirs(info)
    with open(info + "/METADATA", "w", encoding="utf-8") as f:
        f.write("Metadata-Version: 2.1\nName: %s\nVersion: 0\n" % name.replace("_", "-"))
    with open(info + "/entry_points.txt", "w", encoding="utf-8") as f:
        f.write("[sglang.srt.plugins]\n%s = %s\n" % (name, entry))


def plugins(folder: str, probe: bool) -> str:
    """PYTHONPATH of an engine that uses Baton."""
    entry_point(folder, "baton", "baton.sglang.plugin:register")
    if not probe:
        return ":".join([folder, PACKAGE])
    entry_point(folder, "baton_probe", "baton_probe:register")
    return ":".join([folder, PACKAGE, engines.HERE + "/probe"])


class Bed:
    """Started once; `close` ends all of it."""

    def __init__(self, probe: bool = True, transport: str = "tcp"):
        self._folder = tempfile.TemporaryDirectory(prefix="baton-sglang-")
        self.folder = self._folder.name
        self.transport = transport
        self.bootstrap: processes.Process | None = None
        self.agents: dict[str, processes.Process] = {}
        self._random = random.Random(7)
        self._expected: dict[tuple, list[int]] = {}
        path = plugins(self.folder + "/plugins", probe)
        self.single = engines.Engine("single", 31500, self.path("single.log"), {})
        self.prefill = self._engine("prefill", 31600, path)
        self.decode = self._engine("decode", 31700, path, **{
            **RETRACTION, "disaggregation-decode-enable-radix-cache": None})
        self.all = [self.single, self.prefill, self.decode]
        self.sharded: engines.Engine | None = None
        if probe:
            self.sharded = self._engine("prefill", 31620, path, server="prefill-tp2", **{
                "tp": "2", "disaggregation-bootstrap-port": str(SHARDED_PORT)})
            self.all.append(self.sharded)

    def start(self) -> None:
        self.start_bootstrap()
        for side in ("prefill", "decode"):
            self.start_agent(side)
        say("engines are starting (a minute)")
        for engine in self.all:
            engine.start()
        for engine in self.all:
            engine.wait()
            say(engine.name + " is ready")

    def path(self, name: str) -> str:
        return os.path.join(self.folder, name)

    def _engine(self, role: str, port: int, path: str, server: str = "",
                **flags) -> engines.Engine:
        name = server or role + "-a"
        env = {"PYTHONPATH": path, "BATON_C_LIBRARY": LIBRARY, "BATON_SERVER": name,
               "BATON_ATTACH_SOCKET": self.path((server or role) + ".sock"),
               # One engine's agent comes long after it.
               "BATON_ATTACH_TIMEOUT": "2" if name == "prefill-tp2" else "30",
               "BATON_PROBE": self.path(name + ".probe"),
               # A core for each rank of an engine on the CPU.
               "SGLANG_CPU_OMP_THREADS_BIND": "0|1" if {"tp", "pp-size"} & set(flags) else "all"}
        return engines.Engine(name, port, self.path(name + ".log"), env, **{
            "disaggregation-mode": role, "disaggregation-transfer-backend": "baton",
            "disaggregation-bootstrap-port": str(PREFILL_PORT), **flags})

    def another(self, role: str, name: str, port: int, bootstrap_port: int,
                **flags) -> engines.Engine:
        """One more server, with its agent; not started yet."""
        self.start_agent(name)
        path = plugins(self.folder + "/plugins-" + name, probe=False)
        return self._engine(role, port, path, server=name, **{
            "disaggregation-bootstrap-port": str(bootstrap_port), **flags})

    def start_bootstrap(self) -> None:
        self.bootstrap = processes.Process(
            "baton-bootstrap", [BOOTSTRAP, "--listen=" + SERVICE, "--settle=none"],
            self.path("bootstrap.log"))

    def start_agent(self, side: str) -> None:
        self.agents[side] = processes.Process(side + "'s agent", [
            AGENT, "--bootstrap=" + SERVICE, "--transport=" + self.transport, "--workers=1",
            "--attach_socket=" + self.path(side + ".sock"),
            "--service_socket=" + self.path(side + ".svc")], self.path(side + ".agent.log"))

    def has_room(self, side: str, room: int) -> bool:
        """Whether the agent of one side has heard of the room."""
        done = subprocess.run(
            [BATONCTL, "room", "list", "--service_socket=" + self.path(side + ".svc")],
            check=False, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, timeout=30)
        return str(room) in done.stdout

    def wait_listed(self, server: str) -> None:
        """Until the registry has all ranks of the server."""
        def ready():
            done = subprocess.run([BATONCTL, "server", "list", "-o", "json"], check=False,
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=30)
            servers = json.loads(done.stdout or "{}").get("servers", [])
            return any(s["name"] == server and s.get("state") == "SERVER_STATE_READY"
                       for s in servers)
        processes.eventually(ready, server + " is listed as ready")

    def start_sharded_agent(self) -> None:
        """Long after its engine."""
        if "prefill-tp2" not in self.agents:
            self.start_agent("prefill-tp2")
            for rank in (0, 1):
                words = "prefill-tp2[dp0/pp0/cp0/tp%d] is attached at last" % rank
                processes.eventually(lambda w=words: self.sharded.process.printed(w), words)
            self.wait_listed("prefill-tp2")

    def restart_agents(self, transport: str | None = None) -> None:
        self.transport = transport or self.transport
        for side, agent in list(self.agents.items()):
            agent.kill()
            self.start_agent(side)

    def prompt(self, length: int) -> list[int]:
        """A new one each time, so that no cache has it."""
        return [self._random.randrange(3, 250) for _ in range(length)]

    def expected(self, prompt: list[int], tokens: int) -> list[int]:
        """What one engine alone generates."""
        key = (tuple(prompt), tokens)
        if key not in self._expected:
            self._expected[key] = self.single.generate(prompt, tokens)["output_ids"]
        return self._expected[key]

    def room(self) -> int:
        return self._random.getrandbits(62) | 1

    def leg(self, room: int, port: int = PREFILL_PORT) -> dict:
        """What a router adds to a request."""
        return {"bootstrap_host": "127.0.0.1", "bootstrap_port": port, "bootstrap_room": room,
                "rid": "room-%d" % room}

    def hand_over(self, prompt: list[int], tokens: int, room: int | None = None,
                  limit_s: float = processes.LIMIT_S, prefill: engines.Engine | None = None,
                  port: int = PREFILL_PORT, decode: engines.Engine | None = None,
                  decode_prompt: list[int] | None = None) -> dict:
        """Both legs at once, as a router sends them: decode's answer. `port` names `prefill`."""
        prefill, decode = prefill or self.prefill, decode or self.decode
        leg = self.leg(room or self.room(), port)
        other = Leg(prefill, prompt, tokens, leg)
        answer = decode.generate(decode_prompt or prompt, tokens, limit_s, **leg)
        # As routers do; otherwise it would wait for another decode leg. An abort that overtakes its
        # request finds none.
        while "error" in answer and other.waits:
            for engine in (prefill, decode):
                engine.abort(leg["rid"])
            other.wait(0.2)
        answer["prefill"] = other.join()
        answer["room"] = leg["bootstrap_room"]
        return answer

    def works_again(self, prompt: list[int], tokens: int) -> None:
        """After a restart requests may fail for a moment."""
        want = self.expected(prompt, tokens)
        processes.eventually(
            lambda: self.hand_over(prompt, tokens, None, 10).get("output_ids") == want,
            "requests work again")

    def probe(self, side: str, room: int) -> dict:
        """What the probe wrote about a room's pages."""
        def find():
            if not os.path.exists(self.path(side + "-a.probe")):
                return None
            with open(self.path(side + "-a.probe"), encoding="utf-8") as f:
                for line in f:
                    if line.endswith("\n") and json.loads(line)["room"] == room:
                        return json.loads(line)
            return None
        return processes.eventually(find, "%s's pages of room %d are known" % (side, room))

    def close(self) -> None:
        started = [engine.process for engine in self.all] + [*self.agents.values(), self.bootstrap]
        for process in started:
            if process:
                process.kill()
        self._folder.cleanup()


class Leg:
    """A request of which somebody waits for the answer."""

    def __init__(self, engine: engines.Engine, prompt: list[int], tokens: int, leg: dict):
        self._answer: dict = {}
        self._start = time.monotonic()
        self.took = 0.0
        self._thread = threading.Thread(target=self._run, args=(engine, prompt, tokens, leg))
        self._thread.start()

    def _run(self, engine, prompt, tokens, leg) -> None:
        self._answer = engine.generate(prompt, tokens, **leg)
        self.took = time.monotonic() - self._start

    @property
    def waits(self) -> bool:
        return self._thread.is_alive()

    def wait(self, limit_s: float) -> None:
        self._thread.join(limit_s)

    def join(self) -> dict:
        self._thread.join()
        return self._answer
