"""The way to the agent: attaches in a thread of its own, so that an engine starts and lives without
one, and says in the engine's log what is wrong and what to do."""
import threading
import time
from collections.abc import Callable

from vllm.logger import init_logger

import baton

logger = init_logger("vllm.baton")

# Servers that one rank has to do with at once.
WATCHED = 1024
_AGAIN_S = 1.0
_REMIND_S = 60.0
_TRY_S = 5.0
_MAY_PASS = ("SYSTEM", "DEADLINE", "FULL", "DRAINING", "SETTLING", "AGENT_LOST", "NOT_READY",
             "PEER_LOST", "STALE_EPOCH")


class Link:
    """`engine` is None until the agent has taken the rank. The client then re-attaches by itself
    where the agent restarts."""

    def __init__(self, rank: str, agent_socket: str,
                 attach: Callable[[float], baton.Engine]) -> None:
        """`attach` blocks for at most the seconds that it is given."""
        self.rank = rank
        self.why = ""  # why there is no engine
        self.engine: baton.Engine | None = None
        self._agent_socket = agent_socket
        self._attach = attach
        self._lock = threading.Lock()
        self._said: str | None = None
        self._said_at = 0.0
        self._tried = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="baton-attach", daemon=True)

    def start(self, wait_s: float) -> None:
        """Returns when attached, when it is clear that waiting is of no use, or after `wait_s`."""
        self._thread.start()
        self._tried.wait(wait_s)
        self._tried.set()
        if self.engine is None:
            self._complain()

    def peer(self, server: str) -> baton.PeerStatus:
        """Raises BatonError where there is no engine."""
        if self.engine is None:
            raise baton.BatonError("AGENT_LOST", self.why, self.rank)
        return self.engine.peer(server)

    def close(self) -> None:
        self._stop.set()
        self._thread.join(_TRY_S + _AGAIN_S)
        engine, self.engine = self.engine, None
        if engine is not None:
            engine.close()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self.engine = self._attach(_TRY_S)
            except baton.BatonError as error:
                self.why = str(error)
                # What no agent can mend need not be waited for.
                if error.reason not in _MAY_PASS:
                    self._tried.set()
                if self._tried.is_set():
                    self._complain()
            else:
                self._tried.set()
                logger.info("Baton: %s is attached to the agent at %s", self.rank,
                            self._agent_socket)
                return
            self._stop.wait(_AGAIN_S)

    def _complain(self) -> None:
        """Once for each cause, and again after a while."""
        now = time.monotonic()
        with self._lock:
            if self.why == self._said and now < self._said_at + _REMIND_S:
                return
            self._said, self._said_at = self.why, now
        logger.error(
            "Baton: %s is not attached to an agent at %s: %s. Until it is, requests with a Baton "
            "leg fail or are computed here (kv_load_failure_policy). Start baton-agent there, or "
            "set agent_socket in kv_connector_extra_config or BATON_ATTACH_SOCKET.",
            self.rank, self._agent_socket, self.why or "nobody answers")
