"""The few names of SGLang that baton.sglang's sender and receiver are written against, and rooms
that a test moves by hand."""
import sys
import types

import baton
from baton.sglang import early


class KVPoll:
    Failed, Bootstrapping, WaitingForInput, Transferring, Success = range(5)


def install():
    """Before baton.sglang.sender or receiver is imported."""
    conn = types.ModuleType("sglang.srt.disaggregation.base.conn")
    conn.KVPoll = KVPoll
    conn.BaseKVSender = conn.BaseKVReceiver = object
    conn.KVTransferMetric = lambda **fields: types.SimpleNamespace(**fields)
    conn.KVTransferDestination = types.SimpleNamespace(DEVICE="device")
    for name in ("sglang", "sglang.srt", "sglang.srt.disaggregation",
                 "sglang.srt.disaggregation.base"):
        sys.modules[name] = types.ModuleType(name)
    sys.modules[conn.__name__] = conn


class Room:
    """What the sender or receiver under test holds."""

    def __init__(self, what):
        self.what = what
        self.phase = baton.Phase.OPEN
        self.released = False
        self.prefix = 0
        self.why = None
        self.chunks = []
        self.aborted = None
        self.closed = False
        self.full = False
        self.given = None
        self.complete = False

    def poll(self):
        return baton.RoomStatus(self.phase, self.released, self.prefix, self.complete)

    def provide(self, **given):
        if self.full:
            raise baton.Full("FULL", "no place")
        self.given = given

    def fail(self, error, released=True):
        self.phase, self.why, self.released = baton.Phase.FAILED, error, released

    def cause(self):
        return self.why

    def send(self, begin, end, pages, last, aux_row):
        if self.full:
            raise baton.Full("FULL", "no place")
        self.chunks.append((begin, end, pages[0], last, aux_row))

    def abort(self, why):
        self.aborted = why

    def close(self):
        self.closed = True

    def bytes_moved(self):
        return 77


class Manager:
    """Gives rooms out, and notes which receivers it holds."""

    rank = "decode-a[dp0/pp0/cp0/tp0]"

    def __init__(self):
        self.rooms = []
        self.early = early.Early(0)
        self.pages_last = False
        self.refusals = []
        self.held = []
        self.gone = ""
        self.peers = types.SimpleNamespace(gone=lambda address: self.gone,
                                           server=lambda address: address)

    def _open(self, *what):
        if self.refusals:
            raise self.refusals.pop(0)
        self.rooms.append(Room(what))
        return self.rooms[-1]

    def open_send(self, room, total_tokens):
        return self._open(room, total_tokens)

    def announce(self, address, room):
        return self._open(address, room)

    def hold(self, receiver):
        self.held.append(receiver)
