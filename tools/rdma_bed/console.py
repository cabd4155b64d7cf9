"""Reads what guests print until each has said that it is at its end, or time is up."""
import dataclasses
import re
import selectors
import time
import typing

Sink = typing.Callable[[int, str], None]

_MARK = "@bed "
_STATUS = re.compile(r"^status (\d+)$")


@dataclasses.dataclass
class Console:
    """One guest: its number, its lines, and how its command ended (None: it never said)."""
    host: int
    lines: list[str] = dataclasses.field(default_factory=list)
    facts: list[str] = dataclasses.field(default_factory=list)
    status: int | None = None
    at_end: bool = False
    broken: str = ""

    def add(self, line: str) -> None:
        if not line.startswith(_MARK):
            self.lines.append(line)
            return
        said = line[len(_MARK):]
        match = _STATUS.match(said)
        if match:
            self.status = int(match.group(1))
        elif said == "end":
            self.at_end = True
        elif said.startswith("broken: "):
            self.broken = said[len("broken: "):]
        else:
            self.facts.append(said)

    def failure(self) -> str:
        """Why this run is none to believe or has failed; empty for a good one."""
        if self.broken:
            return "the guest is broken: " + self.broken
        if self.status is None:
            return "the guest never said how its command ended (it hung, or its kernel died)"
        if self.status == 124:
            return "ran out of time"
        if self.status == 137:
            return "was killed: the guest had no memory left, or it outlived its time by far"
        return "exit status %d" % self.status if self.status else ""


def print_line(host: int, line: str) -> None:
    del host
    print(line, flush=True)


def follow(pipes: list[typing.IO[bytes]], consoles: list[Console], limit_s: float,
           sink: Sink) -> None:
    """Returns once every guest is at its end or has closed its console, or after `limit_s`."""
    deadline = time.monotonic() + limit_s
    rest = [b""] * len(pipes)
    with selectors.DefaultSelector() as selector:
        for i, pipe in enumerate(pipes):
            selector.register(pipe, selectors.EVENT_READ, i)
        while selector.get_map() and not all(c.at_end for c in consoles):
            wait_s = deadline - time.monotonic()
            if wait_s <= 0:
                return
            for key, _ in selector.select(wait_s):
                data = key.fileobj.read1(65536)
                *lines, rest[key.data] = (rest[key.data] + data).split(b"\n")
                if not data:
                    selector.unregister(key.fileobj)
                    lines = [rest[key.data]] if rest[key.data] else []
                for raw in lines:
                    line = raw.decode(errors="replace").rstrip("\r")
                    consoles[key.data].add(line)
                    sink(consoles[key.data].host, line)
