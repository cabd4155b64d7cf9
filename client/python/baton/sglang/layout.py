"""From what a rank's pools hold to Baton's spec and layout. Pure: knows nothing of SGLang."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from baton.layout import Buffer, CpSharding, Kind, PageGroup, ServerSpec, TensorSpec

# Where memory lies: (address, bytes) -> (region, offset).
Locate = Callable[[int, int], tuple[int, int]]


@dataclass(frozen=True)
class Own:
    """One tensor of one layer as this rank holds it: pages, or rows, one behind the other."""

    layer: int
    address: int
    size: int
    page_bytes: int


@dataclass(frozen=True)
class Family:
    """The tensors of one kind, over all layers of the server."""

    kind: Kind
    dtype: str
    layers: Sequence[int]  # of the whole server
    head_bytes: int
    own: Sequence[Own]
    heads: int = 1  # of the whole server
    tp_sharded: bool = False
    name: str = ""
    draft: bool = False


@dataclass(frozen=True)
class Grid:
    """The server's ranks: sizes and own place as (dp, pp, cp, tp), layers of each stage."""

    sizes: tuple[int, int, int, int]
    coord: tuple[int, int, int, int]
    stages: Sequence[Sequence[int]]
    cp_sharding: CpSharding = CpSharding.REPLICATED


def is_row(kind: Kind) -> bool:
    """One row a request instead of pages."""
    return kind in (Kind.STATE, Kind.AUX)


def spec_of(families: Sequence[Family], grid: Grid, page_tokens: int) -> ServerSpec:
    """Equal on all ranks: nothing in it is of one rank alone."""
    return ServerSpec(
        sizes=grid.sizes,
        stages=[list(layers) for layers in grid.stages],
        cp_sharding=grid.cp_sharding,
        page_groups=[PageGroup(page_tokens=page_tokens)],
        tensors=[
            TensorSpec(
                kind=family.kind,
                name=family.name,
                layers=list(family.layers),
                dtype=family.dtype,
                heads=family.heads,
                head_bytes=family.head_bytes,
                tp_sharded=family.tp_sharded,
                draft=family.draft,
            )
            for family in families
        ],
    )


def _buffer(tensor: int, family: Family, own: Own, page_tokens: int, locate: Locate) -> Buffer:
    region, offset = locate(own.address, own.size)
    if is_row(family.kind):
        entry_bytes = own.page_bytes
    elif own.page_bytes % page_tokens:
        raise ValueError(
            f"{family.kind.name} of layer {own.layer} has pages of {own.page_bytes} bytes, which "
            f"{page_tokens} tokens do not divide"
        )
    else:
        entry_bytes = own.page_bytes // page_tokens
    return Buffer(
        tensor=tensor,
        layer=own.layer,
        region=region,
        offset=offset,
        pages=own.size // own.page_bytes,
        page_stride=own.page_bytes,
        entry_stride=entry_bytes,
        head_stride=family.head_bytes,
    )


def buffers_of(
    families: Sequence[Family], page_tokens: int, locate: Callable[[Family], Locate]
) -> list[Buffer]:
    """Where this rank keeps its share: token after token in a page, head after head in a token."""
    return [
        _buffer(tensor, family, own, page_tokens, locate(family))
        for tensor, family in enumerate(families)
        for own in family.own
    ]
