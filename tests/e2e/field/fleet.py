"""A small fleet of the real programs: a bootstrap service, agents, and engines that do as told."""
import os
import signal
import subprocess
import tempfile
import unittest

from tests.programs import program

PROBE = os.path.abspath("tests/e2e/field/probe_engine")
CTL = os.path.abspath("client/ctl/batonctl")


class Engine:
    """A probe engine: see `probe_engine --help`."""

    def __init__(self, test: unittest.TestCase, agent: program.Program):
        self.socket = os.path.join(agent.folder, "attach.sock")
        self.process = subprocess.Popen([PROBE], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True)
        test.addCleanup(self.end)

    def say(self, command: str, *args: str, **values: object) -> str:
        words = [command, *args, *("%s=%s" % pair for pair in values.items())]
        self.process.stdin.write(" ".join(words) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().strip()
        assert answer, "the engine ended at: " + " ".join(words)
        return answer

    def ok(self, command: str, *args: str, **values: object) -> str:
        answer = self.say(command, *args, **values)
        assert answer.startswith("ok"), (command, args, values, answer)
        return answer[3:]

    def attach(self, **values: object) -> str:
        return self.ok("attach", socket=self.socket, **values)

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


class FieldTest(unittest.TestCase):
    """Starts what a case asks for, each in a folder of its own, and ends it."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(dir="/tmp")
        self.addCleanup(folder.cleanup)
        self._folder = folder.name
        self._rooms = 0

    def folder(self, name: str) -> str:
        path = os.path.join(self._folder, name)
        os.makedirs(path, exist_ok=True)
        return path

    def bootstrap(self, **flags: str) -> program.Program:
        return program.start_bootstrap(self, self.folder("bootstrap"), **flags)

    def agent(self, name: str, bootstrap: str, **flags: str) -> program.Program:
        flags = {"workers": "1", "transport": "tcp", **flags}
        return program.start_agent(self, self.folder(name), bootstrap, **flags)

    def engine(self, agent: program.Program, **values: object) -> Engine:
        engine = Engine(self, agent)
        engine.attach(**values)
        return engine

    def pair(self, bootstrap: str, **flags: str) -> tuple[program.Program, ...]:
        """Agents and engines of prefill-a and decode-a, which have had a room."""
        p = self.agent("p", bootstrap, **flags)
        d = self.agent("d", bootstrap, **flags)
        source = self.engine(p, role="prefill", server="prefill-a")
        target = self.engine(d, role="decode", server="decode-a")
        self.land(source, target)
        return p, d, source, target

    def land(self, source: Engine, target: Engine, ms: int = 30000) -> None:
        """One room, and its bytes looked at."""
        said = self.hand_over(source, target, ms)
        self.assertTrue(said.startswith("done released=1"), said)

    def hand_over(self, source: Engine, target: Engine, ms: int = 30000) -> str:
        self._rooms += 1
        value = 1 + self._rooms % 250
        source.ok("fill", value=value)
        target.ok("fill", value=0)
        source.ok("open-send", "r", id=self._rooms, ms=ms)
        source.ok("send", "r")
        target.ok("open-receive", "r", id=self._rooms, ms=ms)
        said = target.ok("wait", "r")
        if said.startswith("done"):
            self.assertTrue(source.ok("wait", "r").startswith("done"))
            self.assertEqual(target.ok("check", value=value, pages=4), "differing=0")
        source.ok("close", "r")
        target.ok("close", "r")
        return said

    def fails(self, engine: Engine, room: str, ms: int = 60000) -> str:
        """Waits until the room has failed and its pages are free. What is said of it then."""
        said = engine.ok("wait", room, ms=ms)
        self.assertTrue(said.startswith("failed "), said)
        return program.eventually(
            lambda: (said := engine.ok("poll", room)).startswith("failed released=1") and said,
            "the pages are free")

    def ctl(self, bootstrap: str, *args: str) -> subprocess.CompletedProcess:
        return subprocess.run([CTL, *args, "--bootstrap=" + bootstrap], capture_output=True,
                              text=True, timeout=program.LIMIT_S, check=False)

    def agent_status(self, agent: program.Program) -> str:
        done = subprocess.run(
            [CTL, "agent", "status",
             "--service_socket=" + os.path.join(agent.folder, "service.sock")],
            capture_output=True, text=True, timeout=program.LIMIT_S, check=False)
        return done.stdout + done.stderr

    def stop(self, child: program.Program) -> None:
        """SIGSTOP until the case ends."""
        child.process.send_signal(signal.SIGSTOP)
        self.addCleanup(lambda: child.process.poll() is not None or
                        child.process.send_signal(signal.SIGCONT))
