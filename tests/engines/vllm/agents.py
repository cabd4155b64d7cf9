"""Real Baton programs of one test: a bootstrap service and agents, each killed and started again at
will. Everything lies in a folder of its own."""
import os
import signal
import subprocess
import time

LIMIT_S = 60


def eventually(what: str, test, limit_s: float = LIMIT_S):
    """Polls until `test()` is true, and returns what it gave."""
    deadline = time.monotonic() + limit_s
    while True:
        found = test()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError("not within %d s: %s" % (limit_s, what))
        time.sleep(0.01)


class Program:
    """A process whose output goes to FOLDER/NAME.log."""

    def __init__(self, folder: str, name: str, command: list[str]) -> None:
        self.name = name
        self.log = os.path.join(folder, name + ".log")
        self._command = command
        self._process: subprocess.Popen | None = None

    def start(self) -> None:
        with open(self.log, "ab") as log:
            self._process = subprocess.Popen(  # pylint: disable=consider-using-with
                self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    def kill(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGCONT)
            self._process.kill()
            self._process.wait()


class Cluster:
    """A bootstrap service, and one agent for each name, over one transport."""

    def __init__(self, folder: str, bin_folder: str, transport: str) -> None:
        self.folder = folder
        self._bin = bin_folder
        self._transport = transport
        self._agents: dict[str, Program] = {}
        self._bootstrap_at = ""
        self.bootstrap = self._bootstrap("127.0.0.1:0")
        self.bootstrap.start()
        self._bootstrap_at = eventually("bootstrap's port", lambda: self._read("bootstrap.port"))
        # Started again it takes the same port.
        self.bootstrap._command = self._bootstrap(self._bootstrap_at)._command

    def _bootstrap(self, listen: str) -> Program:
        return Program(self.folder, "bootstrap", [
            os.path.join(self._bin, "baton-bootstrap"), "--listen=" + listen, "--settle=none",
            "--port_file=" + os.path.join(self.folder, "bootstrap.port")])

    def _read(self, name: str) -> str:
        try:
            with open(os.path.join(self.folder, name), encoding="utf-8") as f:
                return f.read().strip()
        except FileNotFoundError:
            return ""

    def socket(self, name: str) -> str:
        return os.path.join(self.folder, name + ".attach")

    def agent(self, name: str) -> Program:
        """Made and started at the first call."""
        if name not in self._agents:
            self._agents[name] = Program(self.folder, "agent-" + name, [
                os.path.join(self._bin, "baton-agent"), "--bootstrap=" + self._bootstrap_at,
                "--transport=" + self._transport, "--workers=1", "--spin_us=0",
                "--attach_socket=" + self.socket(name),
                "--service_socket=" + os.path.join(self.folder, name + ".service"),
                "--drain_ms=0"])
            self._agents[name].start()
            eventually("agent " + name, lambda: os.path.exists(self.socket(name)))
        return self._agents[name]

    def close(self) -> None:
        for program in [*self._agents.values(), self.bootstrap]:
            program.kill()
