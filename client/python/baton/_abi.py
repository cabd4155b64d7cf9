"""The structs and calls of client/c/baton.h, name by name; //client/c:abi_test compares them."""

from __future__ import annotations

import ctypes
from ctypes import (
    POINTER,
    c_char_p,
    c_int32,
    c_size_t,
    c_uint8,
    c_uint32,
    c_uint64,
    c_void_p,
)

from baton._library import LIBRARY, QUICK


class Coord(ctypes.Structure):
    _fields_ = [("dp", c_uint32), ("pp", c_uint32), ("cp", c_uint32), ("tp", c_uint32)]


class Error(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("code", c_int32),
        ("text", ctypes.c_char * 1024),
        ("server", ctypes.c_char * 256),
        ("coord", Coord),
    ]


class Region(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("fd", c_int32),
        ("bytes", c_uint64),
        ("name", c_char_p),
        ("dma_buf", c_uint8),
        ("reserved", c_uint8 * 7),
        ("pool", c_void_p),
    ]


class PoolInfo(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("fd", c_int32),
        ("bytes", c_uint64),
        ("address", c_void_p),
        ("offset", c_uint64),
        ("dma_buf", c_uint8),
        ("device_orders_writes", c_uint8),
        ("lent", c_uint8),
        ("reserved", c_uint8 * 5),
        ("missing", c_char_p),
    ]


class Tensor(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("kind", c_uint32),
        ("name", c_char_p),
        ("dtype", c_char_p),
        ("layers", POINTER(c_uint32)),
        ("layer_count", c_size_t),
        ("sub_blocks", POINTER(c_uint32)),
        ("sub_block_count", c_size_t),
        ("page_group", c_uint32),
        ("heads", c_uint32),
        ("head_bytes", c_uint32),
        ("tokens_per_entry", c_uint32),
        ("tp_sharded", c_uint8),
        ("draft", c_uint8),
        ("last_stage", c_uint8),
        ("reserved", c_uint8 * 5),
    ]


class PageGroup(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("page_tokens", c_uint32),
        ("window_tokens", c_uint32),
        ("reserved", c_uint32),
    ]


class Stage(ctypes.Structure):
    _fields_ = [("layers", POINTER(c_uint32)), ("layer_count", c_size_t)]


class Spec(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("cp_sharding", c_uint32),
        ("sizes", Coord),
        ("stages", POINTER(Stage)),
        ("stage_count", c_size_t),
        ("page_groups", POINTER(PageGroup)),
        ("page_group_count", c_size_t),
        ("tensors", POINTER(Tensor)),
        ("tensor_count", c_size_t),
    ]


class Buffer(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("tensor", c_uint32),
        ("layer", c_uint32),
        ("region", c_uint32),
        ("pages", c_uint32),
        ("reserved", c_uint32),
        ("offset", c_uint64),
        ("page_stride", c_uint64),
        ("entry_stride", c_uint64),
        ("head_stride", c_uint64),
    ]


class Label(ctypes.Structure):
    _fields_ = [("key", c_char_p), ("value", c_char_p)]


class Options(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("role", c_uint32),
        ("agent_socket", c_char_p),
        ("server", c_char_p),
        ("launch_id", c_char_p),
        ("model", c_char_p),
        ("coord", Coord),
        ("spec", POINTER(Spec)),
        ("buffers", POINTER(Buffer)),
        ("buffer_count", c_size_t),
        ("regions", POINTER(Region)),
        ("region_count", c_size_t),
        ("labels", POINTER(Label)),
        ("label_count", c_size_t),
        ("aliases", POINTER(c_char_p)),
        ("alias_count", c_size_t),
        ("slots", c_uint32),
        ("ring_bytes", c_uint32),
        ("attach_timeout_ms", c_uint32),
        ("peers", c_uint32),
        ("device_orders_writes", c_uint8),
        ("reserved", c_uint8 * 7),
    ]


class Room(ctypes.Structure):
    _fields_ = [("slot", c_uint32), ("generation", c_uint32)]


class SendRoom(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("time_left_ms", c_uint32),
        ("room_id", c_uint64),
        ("room_nonce", c_uint64),
        ("total_tokens", c_uint64),
        ("total_unknown", c_uint8),
        ("reserved", c_uint8 * 7),
    ]


class Pages(ctypes.Structure):
    # The address as a number: a pointer object would cost more than the call.
    _fields_ = [("pages", c_void_p), ("count", c_size_t)]


class ReceiveRoom(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("time_left_ms", c_uint32),
        ("room_id", c_uint64),
        ("room_nonce", c_uint64),
        ("prefill_server", c_char_p),
        ("prefill_dp", c_uint32),
        ("has_prefill_dp", c_uint8),
        ("tp_holder", c_uint8),
        ("cp_holder", c_uint8),
        ("reserved", c_uint8),
        ("total_tokens", c_uint64),
        ("prefix_tokens", c_uint64),
        ("pages", POINTER(Pages)),
        ("page_group_count", c_size_t),
        ("state_rows", POINTER(c_uint32)),
        ("state_row_count", c_size_t),
        ("aux_row", c_uint32),
        ("reserved2", c_uint32),
    ]


class AnnouncedRoom(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("time_left_ms", c_uint32),
        ("room_id", c_uint64),
        ("room_nonce", c_uint64),
        ("prefill_server", c_char_p),
        ("prefill_dp", c_uint32),
        ("has_prefill_dp", c_uint8),
        ("tp_holder", c_uint8),
        ("cp_holder", c_uint8),
        ("reserved", c_uint8),
    ]


class RoomPages(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("aux_row", c_uint32),
        ("total_tokens", c_uint64),
        ("prefix_tokens", c_uint64),
        ("pages", POINTER(Pages)),
        ("page_group_count", c_size_t),
        ("state_rows", POINTER(c_uint32)),
        ("state_row_count", c_size_t),
    ]


class Chunk(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("is_last_chunk", c_uint8),
        ("reserved", c_uint8 * 3),
        ("token_begin", c_uint64),
        ("token_end", c_uint64),
        ("layer_begin", c_uint32),
        ("layer_end", c_uint32),
        ("pages", POINTER(Pages)),
        ("page_group_count", c_size_t),
        ("state_rows", POINTER(c_uint32)),
        ("state_row_count", c_size_t),
        ("aux_row", c_uint32),
        ("page_groups", c_uint32),
    ]


class RoomStatus(ctypes.Structure):
    _fields_ = [
        ("phase", c_uint8),
        ("released", c_uint8),
        ("source_complete", c_uint8),
        ("reserved", c_uint8 * 5),
        ("prefix_tokens", c_uint64),
    ]


class Peer(ctypes.Structure):
    _fields_ = [("peer", c_uint32), ("generation", c_uint32)]


class PeerStatus(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("phase", c_uint8),
        ("draining", c_uint8),
        ("reserved", c_uint8 * 2),
        ("dp_size", c_uint32),
        ("reserved2", c_uint32),
        ("incarnation", c_uint64),
        ("server", ctypes.c_char * 256),
    ]


class Pod(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("index", c_uint32),
        ("pods", c_uint32),
        ("reserved", c_uint32),
        ("agent_socket", ctypes.c_char * 256),
        ("server", ctypes.c_char * 256),
        ("launch_id", ctypes.c_char * 256),
    ]


LogFunction = ctypes.CFUNCTYPE(None, c_void_p, c_int32, c_char_p)

_Error = POINTER(Error)
_Code = c_int32


def _call(name: str, result: object, *arguments: object, library: ctypes.CDLL = LIBRARY):
    function = getattr(library, name)
    function.restype = result
    function.argtypes = arguments
    return function


version = _call("baton_version", c_char_p)
code_name = _call("baton_code_name", c_char_p, _Code)
code_help = _call("baton_code_help", c_char_p, _Code)

pool_create = _call("baton_pool_create", _Code, c_char_p, c_uint64, POINTER(c_void_p), _Error)
pool_adopt = _call(
    "baton_pool_adopt", _Code, c_char_p, c_void_p, c_uint64, c_uint32, POINTER(c_void_p), _Error
)
pool_export_cuda = _call(
    "baton_pool_export_cuda", _Code, c_uint64, c_uint64, POINTER(c_void_p), _Error
)
pool_get_info = _call("baton_pool_get_info", None, c_void_p, POINTER(PoolInfo))
pool_free = _call("baton_pool_free", None, c_void_p)

attach = _call("baton_attach", _Code, POINTER(Options), POINTER(c_void_p), _Error)
detach = _call("baton_detach", None, c_void_p)
attached = _call("baton_attached", c_int32, c_void_p)
agent_epoch = _call("baton_agent_epoch", c_uint64, c_void_p)

announce = _call(
    "baton_announce", _Code, c_void_p, POINTER(AnnouncedRoom), POINTER(Room), _Error
)
provide = _call("baton_provide", _Code, c_void_p, Room, POINTER(RoomPages), _Error)
open_send = _call("baton_open_send", _Code, c_void_p, POINTER(SendRoom), POINTER(Room), _Error)
open_receive = _call(
    "baton_open_receive", _Code, c_void_p, POINTER(ReceiveRoom), POINTER(Room), _Error
)
send = _call("baton_send", _Code, c_void_p, Room, POINTER(Chunk), _Error)
abort = _call("baton_abort", _Code, c_void_p, Room, c_char_p, _Error)
close = _call("baton_close", None, c_void_p, Room)
poll = _call("baton_poll", None, c_void_p, c_void_p, c_size_t, c_void_p, library=QUICK)
cause = _call("baton_cause", _Code, c_void_p, Room, _Error)
source_tokens = _call("baton_source_tokens", c_uint64, c_void_p, Room)
bytes_moved = _call("baton_bytes_moved", c_uint64, c_void_p, Room)

watch_peer = _call("baton_watch_peer", _Code, c_void_p, c_char_p, POINTER(Peer), _Error)
look_at_peer = _call("baton_look_at_peer", _Code, c_void_p, Peer, POINTER(PeerStatus), _Error)
forget_peer = _call("baton_forget_peer", None, c_void_p, Peer)

read_pod = _call("baton_read_pod", _Code, POINTER(Pod), _Error)
set_log = _call("baton_set_log", None, LogFunction, c_void_p)


def sized(struct: type, **fields):
    """A struct with its struct_size and the fields that are given."""
    return struct(struct_size=ctypes.sizeof(struct), **fields)
