"""Processes of the suite: started in a session of their own, watched, ended with their children."""
import os
import signal
import subprocess
import time

# Far beyond what a passing test takes, also beside other work.
LIMIT_S = 420


def eventually(condition, what: str, limit_s: float = LIMIT_S):
    """The first true value of condition(), which is asked until then."""
    ends = time.monotonic() + limit_s
    while time.monotonic() < ends:
        value = condition()
        if value:
            return value
        time.sleep(0.02)  # Polls; nothing is timed.
    raise AssertionError("never: " + what)


def tail(path: str, lines: int = 30) -> str:
    with open(path, encoding="utf-8", errors="replace") as f:
        return "".join(f.readlines()[-lines:])


class Process:
    """A program with its log."""

    def __init__(self, name: str, command: list[str], log: str, env: dict[str, str] | None = None):
        self.name = name
        self.log = log
        with open(log, "ab") as out:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True,
                env={**os.environ, **(env or {})})

    @property
    def pid(self) -> int:
        return self._process.pid

    def check_runs(self) -> None:
        status = self._process.poll()
        if status is not None:
            raise AssertionError("%s has ended with %d:\n%s" % (self.name, status, tail(self.log)))

    def printed(self, text: str) -> bool:
        with open(self.log, encoding="utf-8", errors="replace") as f:
            return text in f.read()

    def lines(self, text: str) -> list[str]:
        with open(self.log, encoding="utf-8", errors="replace") as f:
            return [line for line in f if text in line]

    def kill(self) -> None:
        """With all that it started, at once."""
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self._process.wait()
