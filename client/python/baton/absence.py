"""Peer servers that are waited for in vain."""

from __future__ import annotations

import time
from collections.abc import Callable

from baton.errors import BatonError, Full
from baton.peers import PeerState, PeerStatus

# Whoever was not asked about for so long is judged anew.
_FORGET_S = 1.0
# An answer is as good for so long.
_KEEP_S = 0.05


class Absences:
    """Says after some patience that a server is away. For one thread; never waits."""

    def __init__(
        self,
        look: Callable[[str], PeerStatus],
        side: str,
        patience_s: float,
        *,
        hint: str = "",
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """`look` is `Engine.peer`; `side` is "prefill" or "decode"; `hint` follows where no such
        server is registered."""
        self._look = look
        self._side = side
        self._patience_s = patience_s
        self._hint = hint
        self._now = now
        self._away: dict[str, tuple[float, float]] = {}  # since when, and when last seen so
        self._kept: dict[str, tuple[float, str]] = {}
        self._starts: dict[str, int] = {}

    def gone(self, server: str) -> str:
        """Why waiting for it is of no use; empty while it is. A server may be away for a moment."""
        now = self._now()
        until, why = self._kept.get(server, (0.0, ""))
        if now < until:
            return why
        for_good, reason = self._reason(server)
        if not reason:
            self._away.pop(server, None)
        why = reason if for_good or not reason else self._judge(server, reason, now)
        self._kept[server] = now + _KEEP_S, why
        return why

    def start_of(self, server: str) -> int:
        """The start of the server that `gone` saw last; 0 before it saw any."""
        return self._starts.get(server, 0)

    def _reason(self, server: str) -> tuple[bool, str]:
        """Whether it is of no use to be patient, and why it is away; empty where it is not."""
        try:
            status = self._look(server)
        except Full:
            return False, ""  # Rooms find out by themselves.
        except BatonError as error:
            return False, str(error)
        if status.ready:
            self._starts[server] = status.incarnation
            return False, ""
        if status.state == PeerState.UNANSWERED:
            return False, "this rank's own agent does not answer; is it running?"
        if status.state == PeerState.UNKNOWN:
            return False, (
                f"no {self._side} server {server} is registered: is it running{self._hint}? "
                "batonctl server list"
            )
        why = f"{self._side} server {status.server}: {status.why}"
        if status.state == PeerState.INCOMPATIBLE:
            return True, why
        return False, why + "; batonctl rank list --missing"

    def _judge(self, server: str, why: str, now: float) -> str:
        since, seen = self._away.get(server, (now, now))
        if now - seen > _FORGET_S:
            since = now
        self._away[server] = since, now
        return why if now - since >= self._patience_s else ""
