"""A decode rank's end of one request."""

from __future__ import annotations

from typing import Any

from sglang.srt.disaggregation.base.conn import (
    BaseKVReceiver,
    KVPoll,
    KVTransferDestination,
)

import baton
from baton.sglang import context
from baton.sglang.end import End
from baton.sglang.failure import OTHER_RANK, failed


_NOTHING = baton.RoomStatus(baton.Phase.OPEN, True, 0)


class Receiver(End, BaseKVReceiver):
    """Announced before it has pages; they go to the prefill server with `send_metadata`."""

    require_staging = False

    def __init__(
        self, mgr: Any, bootstrap_addr: str, bootstrap_room: int | None = None
    ) -> None:
        super().__init__(mgr, bootstrap_room)
        self.bootstrap_addr = bootstrap_addr
        #: SGLang holds the pages of a failed request back while this is set.
        self.abort_notified = False
        self.bootstrap_infos: list = [None]  # its length is the number of proofs that are awaited
        self._initialized = False
        self._pages: dict[str, Any] | None = None
        self._provided = False

    def init(self, prefill_dp_rank: int) -> None:
        """The prefill server is known; which of its dp ranks, Baton looks up by the room."""
        self._initialized = True
        self._open(lambda: self.kv_mgr.announce(self.bootstrap_addr, self.bootstrap_room))

    def send_metadata(
        self,
        kv_indices: Any,
        aux_index: int | None = None,
        state_indices: list | None = None,
        decode_prefix_len: int | None = None,
        destination: KVTransferDestination = KVTransferDestination.DEVICE,
    ) -> None:
        """These pages are the request's."""
        self._pages = {
            "total_tokens": context.TOTAL_TOKENS.read(),
            "prefix_tokens": decode_prefix_len or 0,
            "pages": [kv_indices],
            "aux_row": aux_index or 0,
        }
        self._provide()

    def _provide(self) -> None:
        if self._room is None or self._provided or self.conclude_state is not None:
            return
        try:
            self._room.provide(**self._pages)
        except baton.Full:
            return  # poll tries again
        except (baton.BatonError, TypeError) as error:
            self._fail(error)
        self._provided = True

    def poll(self) -> int:
        """Where it stands; reads shared memory, never waits."""
        if self.conclude_state is not None:
            return self.conclude_state
        if self._room is None and self._opening is not None:
            self._open_again()
        if self._pages is not None and not self._provided:
            self._provide()
        status = self._room.poll() if self._room is not None else _NOTHING
        if status.ended:
            return self._ended(status)
        if status.phase == baton.Phase.OPEN and self._peer_is_gone():
            return KVPoll.Failed
        if self.conclude_state is not None:
            return self.conclude_state
        return KVPoll.Transferring if self._pages is not None else self._without_pages(status)

    def _without_pages(self, status: baton.RoomStatus) -> int:
        if not self._initialized:
            return KVPoll.Bootstrapping
        waits = self.kv_mgr.pages_last and not status.source_complete
        return KVPoll.Bootstrapping if waits else KVPoll.WaitingForInput

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
        if status.phase == baton.Phase.AGENT_LOST and self._pages is None:
            self._close()  # Nothing is lost but the announcement.
            self._open(self._opening)
            return KVPoll.Bootstrapping if self.conclude_state is None else KVPoll.Failed
        self._fail(self._room.cause())
        return KVPoll.Failed

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
        if self._pages is None:
            self._close()  # There are none to hold.
            return
        if not self._room.poll().ended:
            self._room.abort(str(self._cause or "the decode engine gave the request up"))
        self.abort_notified = True
        self.kv_mgr.hold(self)
