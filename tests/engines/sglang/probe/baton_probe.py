"""A second plugin, for the tests alone: it writes down what lay in the pages of each request.

On both sides the bytes of the tokens that were handed over are digested the moment that the engine
is told of the success. On decode, bytes that belong to no request are marked before, and looked at
again: the rest of the last page, and every free page.
"""
import ctypes
import hashlib
import json
import os
import sys

import numpy as np

MARK = 0xA5


def register():
    if "sglang.srt.disaggregation.decode" not in sys.modules or "BATON_PROBE" not in os.environ:
        return
    from baton.sglang import context, manager, receiver, sender

    made = manager.Manager.__init__

    def make(self, *args, **kwargs):
        made(self, *args, **kwargs)
        self.probe = Probe(self.kv_args, context.QUEUE.read())

    manager.Manager.__init__ = make
    _watch_receiver(receiver.Receiver)
    _watch_sender(sender.Sender)


class Probe:
    """Reads the pools as plain bytes: (token slots, bytes of a token) for each buffer."""

    def __init__(self, kv_args, queue):
        self.page = kv_args.page_size
        self._queue = queue
        self._pools = []
        rows = zip(kv_args.kv_data_ptrs, kv_args.kv_data_lens, kv_args.kv_item_lens)
        for address, size, page_bytes in rows:
            whole = (ctypes.c_uint8 * size).from_address(address)
            self._pools.append(np.frombuffer(whole, np.uint8).reshape(-1, page_bytes // self.page))

    def slots(self, pages, tokens: int) -> np.ndarray:
        pages = np.asarray(pages, np.int64)
        return (pages[:, None] * self.page + np.arange(self.page)).reshape(-1)[:tokens]

    def digest(self, slots: np.ndarray) -> str:
        total = hashlib.sha256()
        for pool in self._pools:
            total.update(pool[slots].tobytes())
        return total.hexdigest()

    def free_slots(self) -> np.ndarray:
        allocator = self._queue.token_to_kv_pool_allocator
        pages = [] if allocator.free_pages is None else allocator.get_all_free_pages().tolist()
        return self.slots(pages, len(pages) * self.page)

    def mark(self, slots: np.ndarray) -> None:
        for pool in self._pools:
            pool[slots] = MARK

    def broken(self, slots: np.ndarray) -> int:
        return sum(int((pool[slots] != MARK).any(axis=1).sum()) for pool in self._pools)

    def write(self, **what) -> None:
        with open(os.environ["BATON_PROBE"], "a", encoding="utf-8") as f:
            f.write(json.dumps(what) + "\n")


def _watch_receiver(cls):
    from sglang.srt.disaggregation.base.conn import KVPoll

    from baton.sglang import context

    send_metadata, poll = cls.send_metadata, cls.poll

    def marked_send_metadata(self, kv_indices, *args, **kwargs):
        probe = self.kv_mgr.probe
        tokens = context.TOTAL_TOKENS.read() - (kwargs.get("decode_prefix_len") or 0)
        every = probe.slots(kv_indices, len(kv_indices) * probe.page)
        self.probe_slots, rest = every[:tokens], every[tokens:]
        self.probe_marked = np.concatenate([rest, probe.free_slots()])
        self.probe_rest = len(rest)
        probe.mark(self.probe_marked)
        send_metadata(self, kv_indices, *args, **kwargs)

    def digested_poll(self):
        status = poll(self)
        if status == KVPoll.Success and not getattr(self, "probe_done", False):
            self.probe_done = True
            probe = self.kv_mgr.probe
            free = set(probe.free_slots().tolist())
            rest, others = np.split(self.probe_marked, [self.probe_rest])
            still = np.array([slot for slot in others.tolist() if slot in free], np.int64)
            probe.write(room=self.bootstrap_room, digest=probe.digest(self.probe_slots),
                        tokens=len(self.probe_slots), rest=self.probe_rest,
                        broken_rest=probe.broken(rest), free=len(still),
                        broken_free=probe.broken(still))
        return status

    cls.send_metadata, cls.poll = marked_send_metadata, digested_poll


def _watch_sender(cls):
    from sglang.srt.disaggregation.base.conn import KVPoll

    send, poll, ended_as = cls.send, cls.poll, cls._ended

    def noted_send(self, kv_indices, state_indices=None, num_kv_tokens=None):
        begin = self._sent_to
        send(self, kv_indices, state_indices, num_kv_tokens)
        slots = self.kv_mgr.probe.slots(kv_indices, self._sent_to - begin)
        self.probe_slots = np.concatenate([getattr(self, "probe_slots", slots[:0]), slots])
        self.probe_chunks = getattr(self, "probe_chunks", 0) + 1

    def noted_end(self, status):
        # As the sender saw it: a look before might be too early to know what decode has.
        self.probe_prefix = status.prefix_tokens
        return ended_as(self, status)

    def digested_poll(self):
        ended = self.conclude_state is not None
        status = poll(self)
        if status == KVPoll.Success and not ended:
            probe = self.kv_mgr.probe
            # What decode had already was not read from here.
            slots = self.probe_slots[self.probe_prefix - self._prefix:]
            probe.write(room=self.bootstrap_room, digest=probe.digest(slots), tokens=len(slots),
                        chunks=self.probe_chunks)
        return status

    cls.send, cls.poll, cls._ended = noted_send, digested_poll, noted_end
