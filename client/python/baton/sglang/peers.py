"""Prefill servers by the host:port that routers know them by, as the agent sees them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import baton
from baton.absence import Absences

# Prefill servers that one decode rank has to do with at once.
WATCHED = 1024


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
        self._absences = Absences(
            self._look,
            "prefill",
            patience_s,
            hint=", and does it, or BATON_ALIASES there, or BATON_PEERS here, have that address",
            now=now,
        )

    def server(self, address: str) -> str:
        """The name, or alias, to open a room with."""
        return self._named.get(address, address)

    def _look(self, server: str) -> baton.PeerStatus:
        return self._attachment.engine.peer(server)

    def ready(self, address: str) -> bool:
        """Whether rooms may be opened with it now. Until the agent has answered they may."""
        try:
            state = self._look(self.server(address)).state
        except baton.Full:
            return True  # Rooms find out by themselves.
        except baton.BatonError:
            return False
        return state in (
            baton.PeerState.READY,
            baton.PeerState.UNANSWERED,
            baton.PeerState.INCOMPATIBLE,  # the room says why
        )

    def gone(self, address: str) -> str:
        """Why waiting for it is of no use; empty while it is."""
        return self._absences.gone(self.server(address))
