"""Real Baton programs of one test: a bootstrap service and agents, killed and started again.
Everything lies in a folder of its own."""
import os
import signal

from tests.programs import program


class Cluster:
    """A bootstrap service, and an agent for each name that is asked for, over one transport."""

    def __init__(self, folder: str, transport: str) -> None:
        self.folder = folder
        self._transport = transport
        self._agents: dict[str, program.Program] = {}
        self.bootstrap = self._start_bootstrap("127.0.0.1:0")
        self.address = self.bootstrap.address()

    def _start_bootstrap(self, listen: str) -> program.Program:
        return program.Program(program.BOOTSTRAP, self.folder, listen=listen, settle="none")

    def start_bootstrap(self) -> None:
        """Again, at the address that it had."""
        self.bootstrap = self._start_bootstrap(self.address)

    def socket(self, name: str) -> str:
        return os.path.join(self.folder, name, "attach.sock")

    def agent(self, name: str) -> program.Program:
        """Made and started at the first call, and again when it was killed."""
        running = self._agents.get(name)
        if running is None or running.process.poll() is not None:
            folder = os.path.dirname(self.socket(name))
            os.makedirs(folder, exist_ok=True)
            self._agents[name] = program.Program(
                program.AGENT, folder, bootstrap=self.address, transport=self._transport,
                workers="1", drain_ms="0", attach_socket=self.socket(name),
                service_socket=os.path.join(folder, "agent.sock"))
            self._agents[name].address()
        return self._agents[name]

    def close(self) -> None:
        for each in [*self._agents.values(), self.bootstrap]:
            kill(each)


def kill(running: program.Program) -> None:
    if running.process.poll() is None:
        running.process.send_signal(signal.SIGCONT)
        running.process.kill()
    running.process.wait()
