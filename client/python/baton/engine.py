"""A rank's side of Baton: attach its pools to the agent in its pod, then hand rooms over."""

from __future__ import annotations

import ctypes
import enum
from collections.abc import Mapping, Sequence

from baton import _abi, log
from baton.errors import BatonError, check
from baton.layout import Buffer, ServerSpec, buffers_to_abi, spec_to_abi
from baton.peers import Peers, PeerStatus
from baton.poll_set import PollSet
from baton.pools import Region
from baton.room import PageList, PageLists, Room, rows_to_abi


class Role(enum.IntEnum):
    """Which end of a hand-off a server is."""

    PREFILL = 1
    DECODE = 2


class Holder(enum.IntEnum):
    """Who sends where several ranks hold the same bytes."""

    ONE = 1
    SPREAD = 2


def _milliseconds(seconds: float) -> int:
    # Zero would mean the default.
    return max(1, min(int(seconds * 1000), 0xFFFFFFFF))


class Engine:
    """One rank, attached to its agent. Thread-safe; after the constructor nothing blocks.

    If the agent restarts, the client attaches to the new one by itself; rooms that were open then
    say AGENT_LOST. An engine does not survive os.fork.
    """

    def __init__(
        self,
        *,
        agent_socket: str,
        server: str,
        launch_id: str,
        role: Role,
        spec: ServerSpec,
        layout: Sequence[Buffer],
        regions: Sequence[Region],
        coord: tuple[int, int, int, int] = (0, 0, 0, 0),
        model: str = "",
        labels: Mapping[str, str] | None = None,
        aliases: Sequence[str] = (),
        slots: int = 1024,
        ring_bytes: int = 4 << 20,
        peers: int = 64,
        device_orders_writes: bool = False,
        attach_timeout: float = 10.0,
    ) -> None:
        """Blocks for at most `attach_timeout` seconds.

        Args:
          agent_socket: path of the agent's attach socket.
          server: name of the engine's server, equal on all of its ranks.
          launch_id: equal on all ranks of one start, another at the next.
          role: PREFILL or DECODE.
          spec: what the cache means; equal on all ranks.
          layout: where this rank's share lies in `regions`.
          regions: the pools; borrowed until `close`.
          coord: (dp, pp, cp, tp) of this rank.
          model: servers pair only with servers of an equal model.
          labels: shown to routers.
          aliases: other names of the server, such as the host:port that a router knows.
          slots: rooms open at once.
          ring_bytes: a power of two; the largest call is a quarter of it.
          peers: peer servers watched at once.
          device_orders_writes: see Pool.device_orders_writes.
          attach_timeout: in seconds.

        Raises:
          BatonError: names the rank, what is wrong and what to do.
        """
        log.start()
        texts = [(k.encode(), v.encode()) for k, v in (labels or {}).items()]
        buffers = buffers_to_abi(layout)
        pools = (_abi.Region * len(regions))(*[r.to_abi() for r in regions])
        options = _abi.sized(
            _abi.Options,
            role=role,
            agent_socket=agent_socket.encode(),
            server=server.encode(),
            launch_id=launch_id.encode(),
            model=model.encode(),
            coord=_abi.Coord(*coord),
            spec=ctypes.pointer(spec_to_abi(spec)),
            buffers=buffers,
            buffer_count=len(buffers),
            regions=pools,
            region_count=len(pools),
            labels=(_abi.Label * len(texts))(*texts),
            label_count=len(texts),
            aliases=(ctypes.c_char_p * len(aliases))(*[a.encode() for a in aliases]),
            alias_count=len(aliases),
            peers=peers,
            slots=slots,
            ring_bytes=ring_bytes,
            attach_timeout_ms=_milliseconds(attach_timeout),
            device_orders_writes=device_orders_writes,
        )
        self._client = ctypes.c_void_p()
        self._peers = Peers(self)
        self.rank = "%s[dp%d/pp%d/cp%d/tp%d]" % (server, *coord)
        check(_abi.attach, ctypes.byref(options), ctypes.byref(self._client))

    @property
    def attached(self) -> bool:
        """True while attached to a living agent."""
        return bool(_abi.attached(self._open()))

    @property
    def agent_epoch(self) -> int:
        """Drawn by the agent at each of its starts."""
        return _abi.agent_epoch(self._open())

    def open_send(
        self, room_id: int, total_tokens: int | None, *, nonce: int = 0, time_left: float = 60.0
    ) -> Room:
        """Source: this rank will send its share of a prompt of `total_tokens`.

        None: the total is the end of the last chunk. `time_left` in seconds is the room's
        deadline. Raises Full when no place is free.
        """
        send = _abi.sized(
            _abi.SendRoom,
            time_left_ms=_milliseconds(time_left),
            room_id=room_id,
            room_nonce=nonce,
            total_tokens=total_tokens or 0,
            total_unknown=total_tokens is None,
        )
        handle = _abi.Room()
        check(_abi.open_send, self._open(), ctypes.byref(send), ctypes.byref(handle))
        return Room(self, handle, room_id, nonce)

    def open_receive(
        self,
        room_id: int,
        prefill_server: str,
        total_tokens: int,
        *,
        pages: Sequence[PageList] = (),
        prefix_tokens: int = 0,
        nonce: int = 0,
        prefill_dp: int | None = None,
        state_rows: Sequence[int] = (),
        aux_row: int = 0,
        tp_holder: Holder = Holder.ONE,
        cp_holder: Holder = Holder.ONE,
        time_left: float = 60.0,
    ) -> Room:
        """Target: `pages` wait for this rank's tokens of [prefix_tokens, total_tokens).

        `pages` has one list for each page group of the spec, from the page on that holds the first
        token. `prefill_dp` unset: the dp rank is looked up by the room. Raises Full when no place
        is free.
        """
        lists = PageLists(pages)
        receive = _abi.sized(
            _abi.ReceiveRoom,
            time_left_ms=_milliseconds(time_left),
            room_id=room_id,
            room_nonce=nonce,
            prefill_server=prefill_server.encode(),
            prefill_dp=prefill_dp or 0,
            has_prefill_dp=prefill_dp is not None,
            tp_holder=tp_holder,
            cp_holder=cp_holder,
            total_tokens=total_tokens,
            prefix_tokens=prefix_tokens,
            pages=lists.array,
            page_group_count=lists.count,
            state_rows=rows_to_abi(state_rows),
            state_row_count=len(state_rows),
            aux_row=aux_row,
        )
        handle = _abi.Room()
        check(_abi.open_receive, self._open(), ctypes.byref(receive), ctypes.byref(handle))
        return Room(self, handle, room_id, nonce)

    def announce(
        self,
        room_id: int,
        prefill_server: str,
        *,
        nonce: int = 0,
        prefill_dp: int | None = None,
        time_left: float = 60.0,
    ) -> Room:
        """Target: a room whose pages come later, by `Room.provide`.

        The sources learn that this rank waits, and the room fails at once when one has failed or is
        gone. `source_complete` of its status says when they have computed everything.
        """
        announced = _abi.sized(
            _abi.AnnouncedRoom,
            time_left_ms=_milliseconds(time_left),
            room_id=room_id,
            room_nonce=nonce,
            prefill_server=prefill_server.encode(),
            prefill_dp=prefill_dp or 0,
            has_prefill_dp=prefill_dp is not None,
        )
        handle = _abi.Room()
        check(_abi.announce, self._open(), ctypes.byref(announced), ctypes.byref(handle))
        return Room(self, handle, room_id, nonce)

    def peer(self, server: str) -> PeerStatus:
        """What a room with that server would meet now, by name or alias; never blocks.

        The first look asks the agent, which says from then on: UNANSWERED until it has. Raises Full
        when too many are watched.
        """
        return self._peers.look(server)

    def forget_peer(self, server: str) -> None:
        """Frees its place among the `peers` that may be watched at once."""
        self._peers.forget(server)

    def poll_set(self) -> PollSet:
        """An empty set of rooms to read in one call."""
        self._open()
        return PollSet(self)

    def close(self) -> None:
        """Detaches; open rooms fail. Rooms and poll sets of the engine must not be used again."""
        client, self._client = self._client, ctypes.c_void_p()
        if client:
            _abi.detach(client)

    def _open(self) -> ctypes.c_void_p:
        if not self._client:
            raise BatonError("BAD_MESSAGE", f"{self.rank}: the engine is closed")
        return self._client

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_client", None):
            self.close()
