"""Two agents of one host, a bootstrap service, and engines of this process or of their own."""
import os
import subprocess
import sys
import tempfile

import numpy as np

import baton
from tests.gpu import cache
from tests.programs import program


class Bed:
    def __init__(self, test, transport: str = "auto", fakes: dict | None = None, **flags: str):
        """`fakes`: FAKE_CUDA of the agents named "prefill" and "decode"."""
        self._test = test
        self._flags = {"transport": transport, **flags}
        self._fakes = fakes or {}
        folder = tempfile.TemporaryDirectory(prefix="gpu-")
        test.addCleanup(folder.cleanup)
        self._folder = folder.name
        self.bootstrap = program.start_bootstrap(test, self._folder)
        self.agents = {}
        for name in ("prefill", "decode"):
            os.mkdir(self.folder(name))
            self.start_agent(name)

    def folder(self, name: str) -> str:
        return os.path.join(self._folder, name)

    def start_agent(self, name: str):
        os.environ["FAKE_CUDA"] = self._fakes.get(name, "")
        self.agents[name] = program.start_agent(
            self._test, self.folder(name), bootstrap=self.bootstrap.address(), **self._flags)
        self.agents[name].address()
        os.environ["FAKE_CUDA"] = ""

    def kill_agent(self, name: str):
        self.agents[name].process.kill()
        self.agents[name].process.wait()

    def attach(self, role: baton.Role, own: cache.Cache, server: str = "a") -> baton.Engine:
        engine = own.attach(self.folder(role.name.lower()), role, server)
        self._test.addCleanup(engine.close)
        return engine

    def start_engine(self, name: str, place: str, seed: int = 0) -> subprocess.Popen:
        """An engine process, attached."""
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.gpu.engine_process", self.folder(name), name, place,
             str(seed)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._test.addCleanup(end, process)
        said = process.stdout.readline()
        assert said == "attached\n", (said, self.logs())
        return process

    def paths(self, name: str) -> str:
        """What the agent logged of how pages go, and of what is off."""
        return "\n".join(line for line in self.agents[name].log().split("\n")
                         if "transport " in line or "pages " in line)

    def logs(self) -> str:
        return "\n".join(agent.log() for agent in self.agents.values())


def end(process: subprocess.Popen) -> None:
    process.kill()
    process.wait()
    process.stdin.close()
    process.stdout.close()


def open_room(process: subprocess.Popen, number: int, pages) -> None:
    """In an engine process."""
    process.stdin.write("%d %s\n" % (number, " ".join(map(str, pages))))
    process.stdin.flush()
    said = process.stdout.readline()
    assert said == "open %d\n" % number, said


def wait_offered(room: baton.Room) -> None:
    """Until the other side's pages are known, or the room has ended."""
    program.eventually(lambda: room.poll().phase != baton.Phase.OPEN, "%r is offered" % room)


def ended(room: baton.Room) -> baton.RoomStatus:
    """The status of a room that has ended and is released."""
    def look():
        status = room.poll()
        return status if status.ended and status.released else None
    return program.eventually(look, "%r ends" % room)


def scattered(seed: int, count: int) -> np.ndarray:
    return np.random.default_rng(seed).permutation(cache.PAGES)[:count].astype(np.int32)


def hand_over(bed: Bed, source: baton.Engine, target: baton.Engine, number: int, source_pages,
              target_pages, server: str = "a") -> None:
    """One room, whole: done and released on both sides."""
    total = len(source_pages) * cache.PAGE_TOKENS
    receive = target.open_receive(number, "prefill-" + server, total, pages=[target_pages])
    send = source.open_send(number, total)
    half = len(source_pages) // 2
    send.send(0, half * cache.PAGE_TOKENS, [source_pages[:half]])
    send.send(half * cache.PAGE_TOKENS, total, [source_pages[half:]], last=True)
    for room in (receive, send):
        status = ended(room)
        assert status.phase == baton.Phase.DONE, (room, room.cause(), bed.logs())
        room.close()
