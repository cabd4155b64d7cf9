"""What a server's KV cache means (ServerSpec) and where one rank keeps its share of it (Buffer).

Every field is explained in proto/baton/v1/layout.proto.
"""

from __future__ import annotations

import ctypes
import enum
from collections.abc import Sequence
from dataclasses import dataclass

from baton import _abi


class Kind(enum.IntEnum):
    """What a tensor holds."""

    K = 1
    V = 2
    LATENT = 3
    INDEX = 4
    SCALE = 5
    STATE = 6
    AUX = 7


class CpSharding(enum.IntEnum):
    """How tokens lie over the context-parallel ranks; the last two: over tp ranks as well."""

    REPLICATED = 1
    CONTIGUOUS = 2
    INTERLEAVED_TOKEN = 3
    INTERLEAVED_PAGE = 4
    ZIGZAG = 5
    LAYER_SPLIT = 6
    INTERLEAVED_PAGE_TP = 7
    INTERLEAVED_PAGE_CP_TP = 8


@dataclass(frozen=True)
class PageGroup:
    """Buffers that share a page table. `window_tokens`: only the last so many tokens are kept."""

    page_tokens: int
    window_tokens: int = 0


@dataclass(frozen=True)
class TensorSpec:
    """A family of tensors, one for each layer in `layers`."""

    kind: Kind
    layers: Sequence[int]
    dtype: str
    head_bytes: int
    heads: int = 1  # over the whole server
    name: str = ""
    page_group: int = 0
    tokens_per_entry: int = 1
    tp_sharded: bool = False
    sub_blocks: Sequence[int] = ()
    draft: bool = False
    last_stage: bool = False  # AUX: the source's last pp rank sends it


@dataclass(frozen=True)
class ServerSpec:
    """Equal on all ranks of a server. `sizes` is (dp, pp, cp, tp); one list of layers a stage."""

    stages: Sequence[Sequence[int]]
    page_groups: Sequence[PageGroup]
    tensors: Sequence[TensorSpec]
    sizes: tuple[int, int, int, int] = (1, 1, 1, 1)
    cp_sharding: CpSharding = CpSharding.REPLICATED


@dataclass(frozen=True)
class Buffer:
    """One tensor of one layer: (page p, entry e, head h) lies at
    offset + p * page_stride + e * entry_stride + h * head_stride of its region, in bytes."""

    tensor: int
    layer: int
    pages: int
    page_stride: int
    entry_stride: int
    head_stride: int
    region: int = 0
    offset: int = 0


def _numbers(values: Sequence[int]):
    return (ctypes.c_uint32 * len(values))(*values)


def tensor_to_abi(tensor: TensorSpec) -> _abi.Tensor:
    """The struct holds on to its arrays itself."""
    layers, blocks = _numbers(tensor.layers), _numbers(tensor.sub_blocks)
    return _abi.sized(
        _abi.Tensor,
        kind=tensor.kind,
        name=tensor.name.encode(),
        dtype=tensor.dtype.encode(),
        layers=layers,
        layer_count=len(layers),
        sub_blocks=blocks,
        sub_block_count=len(blocks),
        page_group=tensor.page_group,
        heads=tensor.heads,
        head_bytes=tensor.head_bytes,
        tokens_per_entry=tensor.tokens_per_entry,
        tp_sharded=tensor.tp_sharded,
        draft=tensor.draft,
        last_stage=tensor.last_stage,
    )


def spec_to_abi(spec: ServerSpec) -> _abi.Spec:
    """The struct holds on to its arrays itself."""
    stages = [_abi.Stage(_numbers(layers), len(layers)) for layers in spec.stages]
    groups = [
        _abi.sized(_abi.PageGroup, page_tokens=g.page_tokens, window_tokens=g.window_tokens)
        for g in spec.page_groups
    ]
    tensors = [tensor_to_abi(tensor) for tensor in spec.tensors]
    return _abi.sized(
        _abi.Spec,
        cp_sharding=spec.cp_sharding,
        sizes=_abi.Coord(*spec.sizes),
        stages=(_abi.Stage * len(stages))(*stages),
        stage_count=len(stages),
        page_groups=(_abi.PageGroup * len(groups))(*groups),
        page_group_count=len(groups),
        tensors=(_abi.Tensor * len(tensors))(*tensors),
        tensor_count=len(tensors),
    )


def buffers_to_abi(buffers: Sequence[Buffer]):
    """An array of structs."""
    return (_abi.Buffer * len(buffers))(
        *[
            _abi.sized(
                _abi.Buffer,
                tensor=b.tensor,
                layer=b.layer,
                region=b.region,
                pages=b.pages,
                offset=b.offset,
                page_stride=b.page_stride,
                entry_stride=b.entry_stride,
                head_stride=b.head_stride,
            )
            for b in buffers
        ]
    )
