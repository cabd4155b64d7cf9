"""What both ends of a request share: a room that is opened as soon as the agent takes it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from sglang.srt.disaggregation.base.conn import KVPoll

import baton

# An agent that restarts is back in no time; so long it is waited for.
RESTART_S = 3.0
_RETRY_S = 0.02


class End:
    """For the scheduler's thread alone."""

    def __init__(self, mgr: Any, bootstrap_room: int) -> None:
        self.kv_mgr = mgr
        self.bootstrap_room = bootstrap_room
        #: How the request ended; None until then.
        self.conclude_state: int | None = None
        self._room: baton.Room | None = None
        self._cause: Exception | str | None = None
        self._opening: Callable[[], baton.Room] | None = None
        self._give_up_at = 0.0
        self._next_try = 0.0

    def _open(self, opening: Callable[[], baton.Room]) -> None:
        """Opens a room, now or in one of the next polls."""
        self._opening = opening
        self._give_up_at = time.monotonic() + RESTART_S
        self._try_to_open()

    def _try_to_open(self) -> None:
        self._next_try = time.monotonic() + _RETRY_S
        try:
            self._room = self._opening()
        except baton.Full:
            pass  # There is a place as soon as another room ends.
        except (baton.BatonError, TypeError) as error:
            restarts = isinstance(error, baton.BatonError) and error.reason == "AGENT_LOST"
            if not restarts or time.monotonic() > self._give_up_at:
                self._fail(error)

    def _open_again(self) -> None:
        """Not in each of the scheduler's rounds."""
        if time.monotonic() >= self._next_try:
            self._try_to_open()

    def _fail(self, cause: Exception | str | None) -> None:
        if self.conclude_state is None:
            self._cause = cause
            self.conclude_state = KVPoll.Failed

    def clear(self) -> None:
        """Nothing of the request is needed any more."""
        self._close()

    def _close(self) -> None:
        if self._room is not None:
            self._room.close()
            self._room = None
