"""A decode rank's end of one request."""

from __future__ import annotations

import time
from typing import Any

from sglang.srt.disaggregation.base.conn import (
    BaseKVReceiver,
    KVPoll,
    KVTransferDestination,
)

import baton
from baton.sglang import context
from baton.sglang.failure import OTHER_RANK, failed

# A room id may still belong to its last request for so long; in between it is tried again.
REOPEN_S = 3.0
RETRY_S = 0.02


class Receiver(BaseKVReceiver):
    """Known before its pages are; they are offered to the prefill server with `send_metadata`."""

    require_staging = False

    def __init__(
        self, mgr: Any, bootstrap_addr: str, bootstrap_room: int | None = None
    ) -> None:
        self.kv_mgr = mgr
        self.bootstrap_addr = bootstrap_addr
        self.bootstrap_room = bootstrap_room
        self.conclude_state: int | None = None
        #: SGLang holds the pages of a failed request back while this is set.
        self.abort_notified = False
        self.bootstrap_infos: list = [None]  # its length is the number of proofs that are awaited
        self._initialized = False
        self._call: dict[str, Any] | None = None
        self._room: baton.Room | None = None
        self._cause: Exception | str | None = None
        self._posted = 0.0
        self._next_try = 0.0

    def init(self, prefill_dp_rank: int) -> None:
        """The prefill server is known; which of its dp ranks, Baton looks up by the room."""
        self._initialized = True

    def send_metadata(
        self,
        kv_indices: Any,
        aux_index: int | None = None,
        state_indices: list | None = None,
        decode_prefix_len: int | None = None,
        destination: KVTransferDestination = KVTransferDestination.DEVICE,
    ) -> None:
        """These pages are the request's."""
        self._call = {
            "total_tokens": context.TOTAL_TOKENS.read(),
            "prefix_tokens": decode_prefix_len or 0,
            "pages": [kv_indices],
            "aux_row": aux_index or 0,
        }
        self._posted = time.monotonic()
        self._open()

    def _open(self) -> None:
        try:
            self._room = self.kv_mgr.open_receive(
                self.bootstrap_addr, self.bootstrap_room, **self._call
            )
        except baton.Full:
            self._room = None  # poll tries again
        except (baton.BatonError, TypeError) as error:
            # An agent that restarts is back in no time.
            restarts = isinstance(error, baton.BatonError) and error.reason == "AGENT_LOST"
            if not restarts or time.monotonic() - self._posted > REOPEN_S:
                self._fail(error)

    def _open_again(self) -> None:
        """Not in each of the scheduler's rounds."""
        if time.monotonic() >= self._next_try:
            self._next_try = time.monotonic() + RETRY_S
            self._open()

    def _fail(self, cause: Exception | str | None) -> None:
        if self.conclude_state != KVPoll.Failed:
            self._cause = cause
            self.conclude_state = KVPoll.Failed

    def poll(self) -> int:
        """Where it stands; reads shared memory, never waits."""
        if self.conclude_state is not None:
            return self.conclude_state
        if self._room is None:
            return self._without_a_room()
        status = self._room.poll()
        if status.ended:
            return self._ended(status)
        if status.phase == baton.Phase.OPEN and self._peer_is_gone():
            return KVPoll.Failed
        return KVPoll.Transferring

    def _without_a_room(self) -> int:
        if self._call is not None:
            self._open_again()
            return KVPoll.Transferring if self.conclude_state is None else KVPoll.Failed
        if self._peer_is_gone():
            return KVPoll.Failed
        return KVPoll.WaitingForInput if self._initialized else KVPoll.Bootstrapping

    def _peer_is_gone(self) -> bool:
        """Asked in every round while a prefill server has not taken the request."""
        why = self.kv_mgr.peers.gone(self.bootstrap_addr)
        if why:
            self._fail(why)
        return bool(why)

    def _ended(self, status: baton.RoomStatus) -> int:
        if status.phase == baton.Phase.DONE:
            self.conclude_state = KVPoll.Success
            return KVPoll.Success
        cause = self._room.cause()
        if status.released and self._may_reopen(cause):
            self._close()
            return KVPoll.Transferring
        self._fail(cause)
        return KVPoll.Failed

    def _may_reopen(self, cause: baton.BatonError | None) -> bool:
        """SGLang uses a room id again as soon as both sides are through with it."""
        in_use = cause is not None and cause.reason == "ROOM_IN_USE"
        return in_use and time.monotonic() - self._posted < REOPEN_S

    @property
    def released(self) -> bool:
        """Whether no byte can land in the pages any more."""
        return self._room is None or self._room.poll().released

    def failure_exception(self) -> None:
        """Raises why. SGLang has decided for all ranks: this one may not have noticed anything."""
        alone = self.conclude_state == KVPoll.Failed
        self._fail("another rank of this server gave the request up")
        cause = self._cause if alone else OTHER_RANK
        peer = f"prefill server {self.kv_mgr.peers.server(self.bootstrap_addr)}"
        raise failed(self.bootstrap_room, cause, self.kv_mgr.rank, peer)

    def abort(self) -> None:
        """The engine gives the request up. Its pages come back when the room is released."""
        if self.conclude_state is None:
            self._fail("the decode engine aborted the request")
        self.ensure_abort_notified()

    def ensure_abort_notified(self, *, force_arm: bool = False) -> None:
        """SGLang's way to ask that a failed request's pages are held until that is safe."""
        if self._room is None or self.abort_notified:
            return
        if not self._room.poll().ended:
            self._room.abort(str(self._cause or "the decode engine gave the request up"))
        self.abort_notified = True
        self.kv_mgr.hold(self)

    def clear(self) -> None:
        """Nothing of the request is needed any more."""
        self._close()

    def _close(self) -> None:
        if self._room is not None:
            self._room.close()
            self._room = None
