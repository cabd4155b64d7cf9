"""Peer servers, asked of the engine's own agent."""

from __future__ import annotations

import ctypes
import enum
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from baton import _abi
from baton.errors import BatonError, check, new_error, to_exception

if TYPE_CHECKING:
    from baton.engine import Engine


class PeerState(enum.IntEnum):
    """What a room with the server would meet now."""

    UNANSWERED = 0  # the agent has not said yet, or is gone
    UNKNOWN = 1  # no server of that name or alias is registered
    NOT_READY = 2  # `why` says what is missing
    READY = 3
    INCOMPATIBLE = 4  # a room with it would fail, of `why`


@dataclass(frozen=True)
class PeerStatus:
    """What the agent says of a server."""

    state: PeerState
    #: Its own name, where an alias was asked for.
    server: str
    dp_size: int
    incarnation: int
    #: An operator takes it out of use; rooms with it still work.
    draining: bool
    why: BatonError | None

    @property
    def ready(self) -> bool:
        """A room with it can be opened."""
        return self.state == PeerState.READY


class Peers:
    """The servers that an engine has asked for. Thread-safe; nothing blocks."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._handles: dict[str, _abi.Peer] = {}
        self._lock = threading.Lock()

    def look(self, server: str) -> PeerStatus:
        """By name or alias. The first look asks the agent: UNANSWERED until it has said."""
        status, why = _abi.sized(_abi.PeerStatus), new_error()
        code = _abi.look_at_peer(self._engine._open(), self._watched(server),
                                 ctypes.byref(status), ctypes.byref(why))
        return PeerStatus(
            PeerState(status.phase),
            status.server.decode() or server,
            status.dp_size,
            status.incarnation,
            bool(status.draining),
            to_exception(code, why) if code else None,
        )

    def forget(self, server: str) -> None:
        """Frees its place among the peers that may be watched at once."""
        with self._lock:
            handle = self._handles.pop(server, None)
        if handle is not None:
            _abi.forget_peer(self._engine._open(), handle)

    def _watched(self, server: str) -> _abi.Peer:
        with self._lock:
            handle = self._handles.get(server)
            if handle is None:
                handle = _abi.Peer()
                check(_abi.watch_peer, self._engine._open(), server.encode(),
                      ctypes.byref(handle))
                self._handles[server] = handle
            return handle
