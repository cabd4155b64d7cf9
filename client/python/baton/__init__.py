"""Baton hands the KV cache of a prompt from the servers that computed it to those that generate.

    pool = baton.HostPool(size)
    engine = baton.Engine(agent_socket=..., server="decode-a", launch_id="1",
                          role=baton.Role.DECODE, spec=spec, layout=layout,
                          regions=[pool.region()])
    room = engine.open_receive(42, "prefill-a", total_tokens, pages=[pages])
    while not room.poll().ended:
        decode_something_else()
    room.close()

docs/guides/python.md tells the rest.
"""

from baton import _abi
from baton.engine import Engine, Holder, Role
from baton.errors import BatonError, Full
from baton.layout import Buffer, CpSharding, Kind, PageGroup, ServerSpec, TensorSpec
from baton.peers import PeerState, PeerStatus
from baton.pod import Pod, read_pod
from baton.poll_set import PollSet
from baton.pools import HostPool, Pool, Region, adopt, export_cuda
from baton.room import NO_ROW, Phase, Room, RoomStatus

__version__ = _abi.version().decode()

__all__ = [
    "BatonError",
    "Buffer",
    "CpSharding",
    "Engine",
    "Full",
    "Holder",
    "HostPool",
    "Kind",
    "NO_ROW",
    "PageGroup",
    "PeerState",
    "PeerStatus",
    "Phase",
    "Pod",
    "PollSet",
    "Pool",
    "Region",
    "Role",
    "Room",
    "RoomStatus",
    "ServerSpec",
    "TensorSpec",
    "adopt",
    "export_cuda",
    "read_pod",
]
