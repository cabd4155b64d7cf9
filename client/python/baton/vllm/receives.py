"""The rooms that a worker of a decode engine has open."""
import dataclasses
import time
from collections.abc import Iterable

import numpy as np
from vllm.logger import init_logger

import baton
from baton.absence import Absences
from baton.vllm.link import Link
from baton.vllm.meta import OpenReceive
from baton.vllm.stats import BatonStats

logger = init_logger("vllm.baton")


@dataclasses.dataclass(eq=False)
class _Receive:
    open: OpenReceive
    since: float
    room: baton.Room | None = None
    offered: bool = False  # its prefill has it
    told: bool = False  # the failure is in the log


class Receives:
    """Nothing blocks."""

    def __init__(self, link: Link, stats: BatonStats, patience_s: float) -> None:
        """`patience_s`: how long a prefill server may be away."""
        self._link = link
        self._absences = Absences(link.peer, "prefill", patience_s)
        self._stats = stats
        self._all: dict[str, _Receive] = {}
        self._of_room: dict[baton.Room, _Receive] = {}
        self._waiting: list[_Receive] = []  # for a place in the ring or the table
        self._received: set[str] = set()
        self._failed: set[str] = set()

    def __len__(self) -> int:
        return len(self._all) + len(self._received)

    def open(self, receives: Iterable[OpenReceive], polls: baton.PollSet | None) -> None:
        for open_ in receives:
            receive = self._all[open_.request] = _Receive(open_, time.monotonic())
            self._try_open(receive, polls)

    def refuse(self, refused: Iterable[tuple[str, str]]) -> None:
        """The scheduler has said why."""
        for request, _ in refused:
            self._stats.count("receive_failed")
            self._received.add(request)
            self._failed.add(request)

    def _try_open(self, receive: _Receive, polls: baton.PollSet | None) -> None:
        open_, engine = receive.open, self._link.engine
        if engine is None or polls is None:
            self._end(receive, "%s has no agent: %s" % (self._link.rank, self._link.why))
            return
        try:
            receive.room = engine.open_receive(
                open_.room, open_.prefill_server, open_.total, nonce=open_.nonce,
                prefill_dp=open_.prefill_dp, prefix_tokens=open_.prefix,
                pages=[np.array(p, np.int32) for p in open_.pages], time_left=open_.time_left_s)
        except baton.Full:
            self._waiting.append(receive)
            return
        except baton.BatonError as error:
            self._end(receive, str(error))
            return
        self._of_room[receive.room] = receive
        polls.add(receive.room)

    def abort(self, request: str, why: str) -> None:
        """The engine keeps the pages until the request is taken as received."""
        receive = self._all.get(request)
        if receive is None:
            return
        receive.told = True
        if receive.room is None:
            self._waiting.remove(receive)
            self._end(receive, why)
            return
        try:
            receive.room.abort(why)
        except baton.BatonError as error:
            logger.error("Baton: request %s: %s", request, error)

    def saw(self, room: baton.Room, status: baton.RoomStatus, polls: baton.PollSet) -> bool:
        """False when the room is not one of these."""
        receive = self._of_room.get(room)
        if receive is None:
            return False
        receive.offered = status.phase == baton.Phase.OFFERED
        if not status.ended:
            return True
        why = ""
        if status.phase != baton.Phase.DONE:
            why = str(room.cause() or "the agent was lost")
        if why and not receive.told:
            self._complain(receive, why)
        # Until then bytes may still land.
        if status.released:
            del self._of_room[room]
            polls.discard(room)
            if not why:
                self._count_done(receive, room)
            room.close()
            self._end(receive, why)
        return True

    def _count_done(self, receive: _Receive, room: baton.Room) -> None:
        if receive.open.wanted:
            self._stats.count("received")
            self._stats.count("bytes", room.bytes_moved())
            self._stats.took(time.monotonic() - receive.since)

    def _complain(self, receive: _Receive, why: str) -> None:
        receive.told = True
        logger.error("Baton: request %s was not received (room %d of %s): %s",
                     receive.open.request, receive.open.room, receive.open.prefill_server, why)

    def _end(self, receive: _Receive, why: str) -> None:
        if why and not receive.told:
            self._complain(receive, why)
        request = receive.open.request
        del self._all[request]
        if not receive.open.wanted:
            return
        self._received.add(request)
        if why:
            self._stats.count("receive_failed")
            self._failed.add(request)

    def take_received(self, polls: baton.PollSet | None) -> tuple[set[str], set[str]]:
        """Requests whose pages are filled, or given up; and those of them that failed."""
        waiting, self._waiting = self._waiting, []
        for receive in waiting:
            self._try_open(receive, polls)
        for receive in self._of_room.values():
            if not receive.offered and not receive.told:
                self._look_for_prefill(receive)
        received, self._received = self._received, set()
        failed, self._failed = self._failed, set()
        return received, failed

    def _look_for_prefill(self, receive: _Receive) -> None:
        why = self._absences.gone(receive.open.prefill_server)
        if why:
            if receive.open.wanted:
                self._complain(receive, why)
            self.abort(receive.open.request, why)

    def abort_all(self, why: str) -> list[baton.Room]:
        """The rooms that are not released yet."""
        for request in list(self._all):
            self.abort(request, why)
        return list(self._of_room)
