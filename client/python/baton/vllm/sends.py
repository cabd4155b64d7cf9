"""The rooms that a worker of a prefill engine has open."""
import dataclasses
import time
from collections.abc import Iterable

import numpy as np
import torch
from vllm.logger import init_logger

import baton
from baton.absence import Absences
from baton.vllm.link import Link
from baton.vllm.meta import Chunk, OpenSend
from baton.vllm.stats import BatonStats

logger = init_logger("vllm.baton")

# By then the other side has given up an agent that stands still (its --silence_ms), and nothing
# that it reads of our pages reaches anybody.
_PREEMPT_S = 10.0
_ALL_LAYERS = 0xFFFFFFFF


@dataclasses.dataclass(eq=False)
class _Send:
    open: OpenSend
    room: baton.Room | None = None
    layers: int = 0           # of the step's chunk those below this have gone
    held: list[tuple[Chunk, "torch.cuda.Event | None"]] = dataclasses.field(default_factory=list)
    submitted: bool = False   # the agent may be reading pages
    offered: bool = False
    decode_start: int = 0     # of the decode server, when it was looked at first
    ended: bool = False       # no more chunks are of use
    released: bool = False
    finished: bool = False    # the engine is done with the request
    keep: bool = False        # and keeps its pages until told


class Sends:
    """Nothing blocks but `preempt`."""

    def __init__(self, link: Link, stats: BatonStats, patience_s: float) -> None:
        """`patience_s`: how long a decode server may be away."""
        self._link = link
        self._absences = Absences(link.peer, "decode", patience_s)
        self._stats = stats
        self._all: dict[str, _Send] = {}
        self._of_room: dict[baton.Room, _Send] = {}
        self._sent: set[str] = set()

    def __len__(self) -> int:
        return len(self._all) + len(self._sent)

    def open(self, sends: Iterable[OpenSend], polls: baton.PollSet | None) -> None:
        for open_ in sends:
            send = self._all[open_.request] = _Send(open_)
            self._try_open(send, polls)

    def _try_open(self, send: _Send, polls: baton.PollSet | None) -> None:
        engine = self._link.engine
        if engine is None or polls is None:
            self._fail(send, "%s has no agent: %s" % (self._link.rank, self._link.why))
            return
        try:
            send.room = engine.open_send(send.open.room, send.open.total, nonce=send.open.nonce,
                                         time_left=send.open.time_left_s)
        except baton.Full:
            return  # tried again with the next step
        except baton.BatonError as error:
            self._fail(send, str(error))
            return
        self._of_room[send.room] = send
        polls.add(send.room)

    def _fail(self, send: _Send, why: str) -> None:
        logger.error("Baton: request %s cannot be sent (room %d): %s", send.open.request,
                     send.open.room, why)
        self._stats.count("send_failed")
        send.ended = True
        send.released = send.room is None
        send.held.clear()

    def add(self, chunks: Iterable[Chunk], after: "torch.cuda.Event | None") -> None:
        """`after`: done when the tokens are in the pages; None: they are."""
        for chunk in chunks:
            send = self._all.get(chunk.request)
            if send is None or send.ended:
                continue
            send.held.append((chunk, after))
            self._flush(send)

    def add_layers(self, chunks: Iterable[Chunk], end: int) -> None:
        """In the midst of a step: the chunks' tokens are in the pages of the layers below `end`.
        They go where somebody waits for them already; the rest of the chunk follows with `add`."""
        for chunk in chunks:
            send = self._all.get(chunk.request)
            if send is None or send.ended or not send.offered or send.held or end <= send.layers:
                continue
            if self._submit(send, chunk, end, last=False):
                send.layers = end

    def _submit(self, send: _Send, chunk: Chunk, layer_end: int, last: bool) -> bool:
        """False when the agent's ring is full."""
        try:
            send.room.send(chunk.begin, chunk.end, last=last, layers=(send.layers, layer_end),
                           pages=[np.array(p, np.int32) for p in chunk.pages])
        except baton.Full:
            return False
        except baton.BatonError as error:
            self._abort(send, str(error))
            self._fail(send, str(error))
            return False
        send.submitted = True
        return True

    def all_offered(self, chunks: Iterable[Chunk]) -> bool:
        """Whether a poll would tell nothing new of them."""
        return all(send is None or send.offered or send.ended
                   for send in (self._all.get(chunk.request) for chunk in chunks))

    def _flush(self, send: _Send) -> None:
        # Chunks wait here for the offer, as they can still be taken back. With the last one they
        # all go: the agent holds them as well, and an engine may not step again.
        if send.room is None or not send.held:
            return
        if not send.offered and not send.held[-1][0].last:
            return
        while send.held:
            chunk, after = send.held[0]
            if after is not None and not after.query():
                return
            if not self._submit(send, chunk, _ALL_LAYERS, chunk.last):
                return
            send.layers = 0
            send.held.pop(0)

    def _abort(self, send: _Send, why: str) -> None:
        send.ended = True
        send.held.clear()
        if send.room is None:
            send.released = True
            return
        try:
            send.room.abort(why)
        except baton.BatonError as error:
            logger.error("Baton: request %s: %s", send.open.request, error)

    def abort(self, request: str, why: str) -> None:
        send = self._all.get(request)
        if send is not None and not send.ended:
            self._abort(send, why)

    def preempt(self, requests: Iterable[str]) -> None:
        """Their pages are overwritten after this call. What has not gone out starts anew when they
        are scheduled again; otherwise the room fails, once nothing reads the pages."""
        waiting = []
        for request in requests:
            send = self._all.get(request)
            if send is None or send.ended:
                continue
            send.held.clear()
            if send.submitted:
                self._abort(send, "the prefill engine ran out of pages and preempted the request")
                logger.warning("Baton: request %s was preempted while room %d was under way; the "
                               "decode side fails or computes it. Give the prefill engine more "
                               "cache, or fewer requests at once (max_num_seqs).", request,
                               send.open.room)
                waiting.append(send)
        self._wait(waiting)

    def _wait(self, sends: list[_Send]) -> None:
        deadline = time.monotonic() + _PREEMPT_S
        while any(not s.room.poll().released for s in sends if s.room is not None):
            if time.monotonic() > deadline:
                logger.error("Baton: %s: the agent has not let go of preempted pages within %d s: "
                             "it stands still. Restart it.", self._link.rank, _PREEMPT_S)
                return
            time.sleep(0.0002)

    def finish(self, finished: Iterable[tuple[str, bool]]) -> None:
        for request, keep in finished:
            send = self._all.get(request)
            if send is None:
                if keep:
                    self._sent.add(request)
                continue
            send.finished, send.keep = True, keep

    def saw(self, room: baton.Room, status: baton.RoomStatus) -> bool:
        """False when the room is not one of these."""
        send = self._of_room.get(room)
        if send is None:
            return False
        if status.phase == baton.Phase.OFFERED:
            send.offered = True
            self._flush(send)
        if status.phase == baton.Phase.DONE:
            send.ended = True
            self._stats.count("sent")
            self._stats.count("bytes", room.bytes_moved())
        elif status.ended and not send.ended:
            self._fail(send, str(room.cause() or "the agent was lost"))
        send.released = send.released or (status.ended and status.released)
        return True

    def take_sent(self, polls: baton.PollSet | None) -> set[str]:
        """Requests whose pages may be reused, once each."""
        for request, send in list(self._all.items()):
            if send.room is None and not send.ended:
                self._try_open(send, polls)
            self._flush(send)
            self._look_for_decode(send)
            if not (send.finished and send.ended and send.released):
                continue
            self._close(send, polls)
            del self._all[request]
            if send.keep:
                self._sent.add(request)
        sent, self._sent = self._sent, set()
        return sent

    def _look_for_decode(self, send: _Send) -> None:
        """Pages are not kept until the deadline for one that will never ask for them."""
        if send.offered or send.ended or not send.open.decode_server:
            return
        server = send.open.decode_server
        why = self._absences.gone(server)
        start = self._absences.start_of(server)
        send.decode_start = send.decode_start or start
        if start != send.decode_start:
            why = "decode server %s has been started anew, and knows nothing of it" % server
        if why:
            self._abort(send, why)
            self._fail(send, why)

    def _close(self, send: _Send, polls: baton.PollSet | None) -> None:
        if send.room is None:
            return
        del self._of_room[send.room]
        if polls is not None:
            polls.discard(send.room)
        send.room.close()

    def abort_all(self, why: str) -> list[baton.Room]:
        """The rooms that are not released yet."""
        for send in self._all.values():
            if not send.ended:
                self._abort(send, why)
        return [s.room for s in self._all.values() if s.room is not None and not s.released]
