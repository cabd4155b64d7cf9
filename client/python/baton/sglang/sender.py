"""A prefill rank's end of one request."""

from __future__ import annotations

import time
from typing import Any

from sglang.srt.disaggregation.base.conn import BaseKVSender, KVPoll, KVTransferMetric

import baton
from baton.sglang import context
from baton.sglang.end import End
from baton.sglang.failure import OTHER_RANK, failed


class Sender(End, BaseKVSender):
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
        super().__init__(mgr, bootstrap_room)
        self._early_send_wait_event: Any = None
        self._total = context.TOTAL_TOKENS.read()
        self._begun = False  # SGLang was told to compute
        self._prefix = 0
        self._sent_to = 0
        self._aux_row = 0
        self._chunks: list[tuple[Any, tuple, dict]] = []  # not yet in the ring
        self._last = False
        self._started = time.monotonic()
        self._moved: tuple[int, float] | None = None
        self._open(lambda: mgr.open_send(bootstrap_room, self._total))

    def _fail(self, cause: Exception | str | None) -> None:
        super()._fail(cause)
        self._chunks.clear()

    def init(self, num_kv_indices: int, aux_index: int | None = None) -> None:
        """Sending begins behind the prefix, if the decode side has told it yet."""
        self._begun = True
        self._aux_row = aux_index or 0
        self._sent_to = self._prefix

    def mark_prefill_complete(self) -> None:
        """The last chunk says so."""

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
        if status.ended:
            return self._ended(status)
        early = self.kv_mgr.early
        if status.phase == baton.Phase.OFFERED:
            early.give_back(self.bootstrap_room)
            if not self._begun:
                self._prefix = status.prefix_tokens
        elif not self._begun and not early.take(self.bootstrap_room, self._total):
            return KVPoll.Bootstrapping
        return KVPoll.Transferring if self._last else KVPoll.WaitingForInput

    # The first stage decides for all of them to begin, which needs no other stage's room; a stage
    # that fails fails the room everywhere.
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
        self._fail(self._room.cause())
        self._close()
        return KVPoll.Failed

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
        self.clear()

    def clear(self) -> None:
        """Nothing of the request is needed any more."""
        super().clear()
        self.kv_mgr.early.give_back(self.bootstrap_room)

    def get_transfer_metric(self) -> KVTransferMetric:
        """For SGLang's metrics."""
        moved, seconds = self._moved or (None, None)
        return KVTransferMetric(transfer_total_bytes=moved, transfer_latency_s=seconds)
