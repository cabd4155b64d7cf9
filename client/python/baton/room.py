"""One rank's end of a hand-off."""

from __future__ import annotations

import ctypes
import enum
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from baton import _abi
from baton.errors import BatonError, check, new_error, to_exception

if TYPE_CHECKING:
    from baton.engine import Engine

#: Instead of a STATE row: the room has none. Both sides say so, or neither.
NO_ROW = 0xFFFFFFFF

#: Page numbers of one page group: an int32 array is taken without a copy.
PageList = np.ndarray | Sequence[int]


class Phase(enum.IntEnum):
    """Where a room stands; DONE and all after it are final."""

    OPEN = 0  # waiting for the other side
    OFFERED = 1  # source: prefix_tokens is known and sending moves bytes
    DONE = 2  # source: every target has everything; target: everything is in memory
    FAILED = 3  # Room.cause says why
    AGENT_LOST = 4  # the agent died or stands still
    CLOSED = 5  # the room was closed


PHASES = tuple(Phase)


class RoomStatus(NamedTuple):
    """What `poll` saw."""

    phase: Phase
    #: Only now may the room's pages be used for something else.
    released: bool
    #: Source, from OFFERED on: tokens that the target has already.
    prefix_tokens: int
    #: Target of an announced room: the sources have computed everything, so provide the pages.
    source_complete: bool = False

    @property
    def ended(self) -> bool:
        """Done, failed or lost."""
        return self.phase >= Phase.DONE


class PageLists:
    """Page lists as the ABI takes them; holds on to their memory."""

    __slots__ = ("_lists", "array", "count")

    def __init__(self, pages: Sequence[PageList]) -> None:
        self._lists = lists = [
            p
            if type(p) is np.ndarray and p.dtype == np.int32 and p.flags.c_contiguous
            else np.ascontiguousarray(p, dtype=np.int32)
            for p in pages
        ]
        self.count = len(lists)
        self.array = (_abi.Pages * self.count)(
            *[(p.__array_interface__["data"][0], p.size) for p in lists]
        )


def rows_to_abi(rows: Sequence[int]):
    """STATE rows as the ABI takes them."""
    return (ctypes.c_uint32 * len(rows))(*rows)


class Room:
    """An open room of an engine. Thread-safe; nothing blocks."""

    __slots__ = ("_client", "_engine", "_handle", "id", "nonce")

    def __init__(self, engine: Engine, handle: _abi.Room, room_id: int, nonce: int) -> None:
        self._engine = engine
        self._client = engine._client
        self._handle = handle
        self.id = room_id
        self.nonce = nonce

    def __repr__(self) -> str:
        return f"<baton.Room {self.id}#{self.nonce}>"

    def send(
        self,
        token_begin: int,
        token_end: int,
        pages: Sequence[PageList] = (),
        last: bool = False,
        state_rows: Sequence[int] = (),
        aux_row: int = 0,
        layers: tuple[int, int] | None = None,
        page_groups: Sequence[int] | None = None,
    ) -> None:
        """Source: tokens [token_begin, token_end) are in `pages`, one list for each page group.

        Call it after the work on them is complete, in order of tokens; `layers` limits it to
        [begin, end), `page_groups` to those groups (lists of the others are empty). The last chunk
        may be empty; STATE and AUX rows go with it. Raises Full when the ring has no place now,
        BatonError otherwise.
        """
        lists = PageLists(pages)
        chunk = _abi.Chunk(
            struct_size=_CHUNK_BYTES,
            is_last_chunk=last,
            token_begin=token_begin,
            token_end=token_end,
            pages=lists.array,
            page_group_count=lists.count,
            aux_row=aux_row,
        )
        if layers is not None:
            chunk.layer_begin, chunk.layer_end = layers
        if page_groups is not None:
            chunk.page_groups = sum({1 << group for group in page_groups})
        if len(state_rows):
            chunk.state_rows = rows_to_abi(state_rows)
            chunk.state_row_count = len(state_rows)
        check(_abi.send, self._client, self._handle, chunk)

    def provide(
        self,
        total_tokens: int,
        *,
        pages: Sequence[PageList] = (),
        prefix_tokens: int = 0,
        state_rows: Sequence[int] = (),
        aux_row: int = 0,
    ) -> None:
        """Target of an announced room: what `Engine.open_receive` would have said of its pages."""
        lists = PageLists(pages)
        given = _abi.sized(
            _abi.RoomPages,
            aux_row=aux_row,
            total_tokens=total_tokens,
            prefix_tokens=prefix_tokens,
            pages=lists.array,
            page_group_count=lists.count,
            state_rows=rows_to_abi(state_rows),
            state_row_count=len(state_rows),
        )
        check(_abi.provide, self._client, self._handle, ctypes.byref(given))

    def source_tokens(self) -> int:
        """Target of an announced room: its total, once the sources are complete; 0 before."""
        return _abi.source_tokens(self._client, self._handle)

    def poll(self) -> RoomStatus:
        """Where the room stands. For many rooms use Engine.poll_set."""
        status = _abi.RoomStatus()
        _abi.poll(self._client, ctypes.addressof(self._handle), 1, ctypes.addressof(status))
        return RoomStatus(PHASES[status.phase], bool(status.released), status.prefix_tokens,
                          bool(status.source_complete))

    def cause(self) -> BatonError | None:
        """Why the room failed; None for one that did not."""
        error = new_error()
        code = _abi.cause(self._client, self._handle, ctypes.byref(error))
        return to_exception(code, error) if code else None

    def bytes_moved(self) -> int:
        """Bytes that this rank moved for the room so far."""
        return _abi.bytes_moved(self._client, self._handle)

    def abort(self, why: str) -> None:
        """The room fails on both sides, and is released once fenced."""
        check(_abi.abort, self._client, self._handle, why.encode())

    def close(self) -> None:
        """Gives the handle back; aborts a room that has not ended."""
        _abi.close(self._client, self._handle)


_CHUNK_BYTES = ctypes.sizeof(_abi.Chunk)
