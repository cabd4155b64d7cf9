"""Many rooms read in one call."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from baton import _abi
from baton.room import PHASES, Room, RoomStatus

if TYPE_CHECKING:
    from baton.engine import Engine

# As the ABI's structs: a handle is slot and generation; a status its first word (phase, released)
# and the prefix.
_SMALLEST = 64


class PollSet:
    """The rooms that a scheduler waits for. For one thread at a time.

    rooms = engine.poll_set()
    rooms.add(room)
    for room, status in rooms.poll():  # those that changed since the last time
        if status.ended and status.released:
            rooms.discard(room)
            room.close()
    """

    def __init__(self, engine: Engine) -> None:
        self._client = engine._client
        self._rooms: list[Room] = []
        self._place: dict[Room, int] = {}
        self._grow(_SMALLEST)

    def __len__(self) -> int:
        return len(self._rooms)

    def __iter__(self):
        return iter(tuple(self._rooms))

    def __contains__(self, room: Room) -> bool:
        return room in self._place

    def add(self, room: Room) -> None:
        """From now on `poll` tells of the room; the next one does in any case."""
        if room in self._place:
            return
        at = len(self._rooms)
        if at == len(self._handles):
            self._grow(2 * at)
        self._rooms.append(room)
        self._place[room] = at
        self._handles[at] = room._handle.slot, room._handle.generation
        self._seen[at] = _NEVER

    def discard(self, room: Room) -> None:
        """The set forgets the room. No other room's news is lost."""
        at = self._place.pop(room, None)
        if at is None:
            return
        last = self._rooms.pop()
        if last is not room:
            self._rooms[at] = last
            self._place[last] = at
            self._handles[at] = self._handles[len(self._rooms)]
            self._seen[at] = self._seen[len(self._rooms)]

    def poll(self) -> list[tuple[Room, RoomStatus]]:
        """The rooms whose phase or release changed since the last call, in one call of the ABI."""
        count = len(self._rooms)
        if count == 0:
            return []
        _abi.poll(self._client, self._handles_at, count, self._statuses_at)
        words = self._statuses[:count, 0]
        changed = np.flatnonzero(words != self._seen[:count])
        if changed.size == 0:
            return []
        self._seen[:count] = words
        return [self._told(int(at)) for at in changed]

    def _told(self, at: int) -> tuple[Room, RoomStatus]:
        word, prefix = self._statuses[at].tolist()
        return self._rooms[at], RoomStatus(PHASES[word & 0xFF], bool(word & 0xFF00), prefix,
                                           bool(word & 0xFF0000))

    def _grow(self, size: int) -> None:
        handles = np.zeros((size, 2), np.uint32)
        seen = np.full(size, _NEVER, np.uint64)
        count = len(self._rooms)
        if count:
            handles[:count], seen[:count] = self._handles[:count], self._seen[:count]
        self._handles, self._seen = handles, seen
        self._statuses = np.zeros((size, 2), np.uint64)
        self._handles_at = handles.__array_interface__["data"][0]
        self._statuses_at = self._statuses.__array_interface__["data"][0]


# No status looks like this.
_NEVER = np.uint64(0xFFFFFFFFFFFFFFFF)
