"""A prefill rank's end of one request."""

from __future__ import annotations

import time
from typing import Any

from sglang.srt.disaggregation.base.conn import BaseKVSender, KVPoll, KVTransferMetric

import baton
from baton.sglang import context
from baton.sglang.failure import OTHER_RANK, failed

# A room id may still belong to its last request for so long; in between it is tried again.
REOPEN_S = 3.0
RETRY_S = 0.02


class Sender(BaseKVSender):
    """Opened with the request, long before there is anything to send."""

    # Page lists come as arrays of this process; an event that they wait for is waited for here.
    supports_host_tensor_indices = False

    def __init__(
        self,
        mgr: Any,
        bootstrap_addr: str,
        bootstrap_room: int,
        req_has_disagg_prefill_dp_rank: bool = False,
    ) -> None:
        self.kv_mgr = mgr
        self.bootstrap_room = bootstrap_room
        self.conclude_state: int | None = None
        self._early_send_wait_event: Any = None
        self._total = context.TOTAL_TOKENS.read()
        self._room: baton.Room | None = None
        self._cause: Exception | str | None = None
        self._prefix = 0
        self._sent_to = 0
        self._aux_row = 0
        self._chunks: list[tuple[Any, tuple, dict]] = []  # not yet in the ring
        self._last = False
        self._started = time.monotonic()
        self._next_try = 0.0
        self._moved: tuple[int, float] | None = None
        self._open()

    def _open(self) -> None:
        try:
            self._room = self.kv_mgr.open_send(self.bootstrap_room, self._total)
        except baton.Full:
            self._room = None  # poll tries again
        except (baton.BatonError, TypeError) as error:
            # An agent that restarts is back in no time.
            restarts = isinstance(error, baton.BatonError) and error.reason == "AGENT_LOST"
            if not restarts or time.monotonic() - self._started > REOPEN_S:
                self._fail(error)

    def _open_again(self) -> None:
        """Not in each of the scheduler's rounds."""
        if time.monotonic() >= self._next_try:
            self._next_try = time.monotonic() + RETRY_S
            self._open()

    def _fail(self, cause: Exception | str | None) -> None:
        if self.conclude_state is None:
            self._cause = cause
            self._chunks.clear()
            self.conclude_state = KVPoll.Failed

    def init(self, num_kv_indices: int, aux_index: int | None = None) -> None:
        """The decode side has told its prefix: sending begins behind it."""
        self._aux_row = aux_index or 0
        self._sent_to = self._prefix

    def pop_decode_prefix_len(self) -> int:
        """Tokens that the decode side has already."""
        return self._prefix

    def should_send_kv_chunk(self, num_pages: int, last_chunk: bool) -> bool:
        """The last chunk carries the first token even where no page is left to send."""
        return num_pages > 0 or last_chunk

    def send(
        self,
        kv_indices: Any,
        state_indices: list | None = None,
        num_kv_tokens: int | None = None,
    ) -> None:
        """A chunk whose computation is complete, or is once the noted event says so."""
        if self.conclude_state is not None:
            return
        begin = self._sent_to
        # SGLang gives state indices, be it none of them, with the last chunk only.
        self._last = state_indices is not None
        end = self._total if self._last else begin + (num_kv_tokens or 0)
        event, self._early_send_wait_event = self._early_send_wait_event, None
        self._sent_to = end
        options = {"last": self._last, "aux_row": self._aux_row}
        self._chunks.append((event, (begin, end, [kv_indices]), options))
        self._flush()

    def _flush(self) -> None:
        while self._chunks and self._room is not None:
            event, chunk, options = self._chunks[0]
            if event is not None and not event.query():
                return
            try:
                self._room.send(*chunk, **options)
            except baton.Full:
                return
            except baton.BatonError as error:
                self._fail(error)
                return
            self._chunks.pop(0)

    def poll(self) -> int:
        """Where it stands; reads shared memory, never waits."""
        if self.conclude_state is not None:
            return self.conclude_state
        if self._room is None:
            self._open_again()
            return KVPoll.Bootstrapping if self.conclude_state is None else self.conclude_state
        if self._chunks:
            self._flush()
        status = self._room.poll()
        if status.phase == baton.Phase.OPEN:
            return KVPoll.Bootstrapping
        if status.phase == baton.Phase.OFFERED:
            self._prefix = status.prefix_tokens
            return KVPoll.Transferring if self._last else KVPoll.WaitingForInput
        return self._ended(status)

    poll_pp_consensus = poll

    def _ended(self, status: baton.RoomStatus) -> int:
        if status.phase == baton.Phase.DONE:
            self.conclude_state = KVPoll.Success
            self._moved = (self._room.bytes_moved(), time.monotonic() - self._started)
            self._close()
            return KVPoll.Success
        if self._sent_to > self._prefix and not status.released:
            # SGLang takes the pages back the moment that it hears of the failure.
            return KVPoll.Transferring if self._last else KVPoll.WaitingForInput
        cause = self._room.cause()
        if self._may_reopen(cause):
            self._close()
            return KVPoll.Bootstrapping
        self._fail(cause)
        self._close()
        return KVPoll.Failed

    def _may_reopen(self, cause: baton.BatonError | None) -> bool:
        """SGLang uses a room id again as soon as both sides are through with it."""
        return (
            cause is not None
            and cause.reason == "ROOM_IN_USE"
            and not self._sent_to
            and time.monotonic() - self._started < REOPEN_S
        )

    def _close(self) -> None:
        if self._room is not None:
            self._room.close()
            self._room = None

    def failure_exception(self) -> None:
        """Raises why. SGLang has decided for all ranks: this one may not have noticed anything."""
        alone = self.conclude_state == KVPoll.Failed
        self.abort()
        raise failed(self.bootstrap_room, self._cause if alone else OTHER_RANK, self.kv_mgr.rank)

    def abort(self) -> None:
        """The engine gives the request up."""
        if self.conclude_state is None:
            if self._room is not None:
                self._room.abort("the prefill engine aborted the request")
            self._fail("the prefill engine aborted the request")
        self._close()

    def clear(self) -> None:
        """Nothing of the request is needed any more."""
        self._close()

    def get_transfer_metric(self) -> KVTransferMetric:
        """For SGLang's metrics."""
        moved, seconds = self._moved or (None, None)
        return KVTransferMetric(transfer_total_bytes=moved, transfer_latency_s=seconds)
