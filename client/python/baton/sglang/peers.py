"""Prefill servers by the host:port that routers know them by, as the agent sees them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import baton

# Prefill servers that one decode rank has to do with at once.
WATCHED = 1024
# Whoever was not asked about for so long is judged anew.
_FORGET_S = 1.0


class Peers:
    """Looks servers up without waiting. For the scheduler's thread alone."""

    def __init__(
        self,
        attachment: Any,
        named: Mapping[str, str],
        patience_s: float,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._attachment = attachment
        self._named = named
        self._patience_s = patience_s
        self._now = now
        self._away: dict[str, tuple[float, float]] = {}  # since when, and when last seen so

    def server(self, address: str) -> str:
        """The name, or alias, to open a room with."""
        return self._named.get(address, address)

    def _look(self, address: str) -> baton.PeerStatus | None:
        try:
            return self._attachment.engine.peer(self.server(address))
        except baton.Full:
            return None  # Rooms find out by themselves.

    def ready(self, address: str) -> bool:
        """Whether rooms may be opened with it now. Until the agent has answered they may."""
        try:
            status = self._look(address)
        except baton.BatonError:
            return False
        return status is None or status.state in (
            baton.PeerState.READY,
            baton.PeerState.UNANSWERED,
            baton.PeerState.INCOMPATIBLE,  # the room says why
        )

    def gone(self, address: str) -> str:
        """Why waiting for it is of no use; empty while it is. A server may be away for a moment."""
        try:
            status = self._look(address)
        except baton.BatonError as error:
            return self._judge(address, str(error))
        if status is None or status.ready:
            self._away.pop(address, None)
            return ""
        server = self.server(address)
        if status.state == baton.PeerState.UNANSWERED:
            return self._judge(address, "this rank's own agent does not answer; is it running?")
        if status.state == baton.PeerState.UNKNOWN:
            return self._judge(
                address,
                f"no prefill server {server} is registered: is it running, and does it, or "
                "BATON_ALIASES there, or BATON_PEERS here, have that address? batonctl server list",
            )
        why = f"prefill server {status.server}: {status.why}"
        if status.state == baton.PeerState.INCOMPATIBLE:
            return why
        return self._judge(address, why + "; batonctl rank list --missing")

    def _judge(self, address: str, why: str) -> str:
        now = self._now()
        since, seen = self._away.get(address, (now, now))
        if now - seen > _FORGET_S:
            since = now
        self._away[address] = since, now
        return why if now - since >= self._patience_s else ""
