"""What SGLang's pools hold, as layout.py takes it. Refuses by name what it cannot describe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import baton
from baton.layout import CpSharding, Kind
from baton.sglang.layout import Family, Grid, Own


def _unsupported(what: str, cure: str) -> baton.BatonError:
    return baton.BatonError("BAD_SPEC", f"baton.sglang cannot hand over {what}", cure=cure)


def _text(dtype: object) -> str:
    return str(dtype).removeprefix("torch.")


def grid(parallel: Any, system_dp_rank: int, layers: int) -> Grid:
    """From get_parallel(): either attention is data parallel, or whole replicas are."""
    from sglang.srt.distributed.utils import get_pp_indices  # noqa: PLC0415

    dp_rank, dp_size = parallel.attn_dp_rank, parallel.attn_dp_size
    if dp_size == 1 and parallel.dp_size > 1:
        dp_rank, dp_size = system_dp_rank, parallel.dp_size
    cp_size = parallel.attn_cp_size
    return Grid(
        sizes=(dp_size, parallel.pp_size, cp_size, parallel.attn_tp_size),
        coord=(dp_rank, parallel.pp_rank, parallel.attn_cp_rank, parallel.attn_tp_rank),
        stages=[
            list(range(*get_pp_indices(layers, pp, parallel.pp_size)))
            for pp in range(parallel.pp_size)
        ],
        # A context-parallel prefill gathers the KV of all tokens into the pool of each rank.
        cp_sharding=CpSharding.REPLICATED,
    )


# Addresses, bytes, and bytes of a page, of one pool's buffers.
_Buffers = tuple[list[int], list[int], list[int]]


def _own(buffers: _Buffers, first: int, layers: list[int]) -> list[Own]:
    return [
        Own(layer, *(column[first + i] for column in buffers)) for i, layer in enumerate(layers)
    ]


def _check_entries(family: Family, heads_here: int, page_tokens: int) -> Family:
    for own in family.own:
        want = heads_here * family.head_bytes * page_tokens
        if own.page_bytes != want:
            raise _unsupported(
                f"{family.kind.name} of layer {own.layer}: its pages have {own.page_bytes} bytes "
                f"and not {want}",
                "choose a KV cache dtype and layout without packing",
            )
    return family


@dataclass(frozen=True)
class _Pool:
    """What one of SGLang's pools has of the server's layers."""

    pool: Any
    buffers: _Buffers
    layers: list[int]  # of the whole server
    stage: list[int]  # of them, those of this stage
    window: bool = False

    def check_count(self, kinds: int) -> None:
        count = len(self.buffers[0])
        if count != kinds * len(self.stage):
            raise _unsupported(
                f"{count} buffers for {len(self.stage)} layers of a {type(self.pool).__name__}",
                "use a model whose layers all keep their own KV cache",
            )


def _plain(of: _Pool, page_tokens: int, heads: int) -> list[Family]:
    """MHA and GQA: keys of each layer, then values of each."""
    pool = of.pool
    if pool.kv_cache_layout != "nhd":
        raise _unsupported(
            f"a KV cache in layout {pool.kv_cache_layout}",
            "unset SGLANG_USE_HND_KVCACHE and the attention backend that asks for the layout",
        )
    of.check_count(2)
    families = []
    for kind, first, dim in (
        (Kind.K, 0, pool.head_dim),
        (Kind.V, len(of.stage), pool.v_head_dim),
    ):
        family = Family(
            kind=kind,
            dtype=_text(pool.dtype),
            name="window" if of.window else "",
            layers=of.layers,
            heads=heads,
            head_bytes=dim * pool.store_dtype.itemsize,
            tp_sharded=True,
            own=_own(of.buffers, first, of.stage),
            window=of.window,
        )
        families.append(_check_entries(family, pool.head_num, page_tokens))
    return families


def _latent(of: _Pool, page_tokens: int) -> list[Family]:
    """MLA: one latent row a token and layer, equal on all tp ranks."""
    of.check_count(1)
    family = Family(
        kind=Kind.LATENT,
        dtype=_text(of.pool.dtype),
        layers=of.layers,
        head_bytes=of.buffers[2][0] // page_tokens,
        own=_own(of.buffers, 0, of.stage),
    )
    return [_check_entries(family, 1, page_tokens)]


def _aux(kv_args: Any, metadata: Any) -> list[Family]:
    """The first token and what belongs to it: a row a request in each of some 12 arrays."""
    names = {
        value.data_ptr(): (name, _text(value.dtype))
        for name, value in vars(metadata).items()
        if hasattr(value, "data_ptr")
    }
    families = []
    arrays = zip(kv_args.aux_data_ptrs, kv_args.aux_data_lens, kv_args.aux_item_lens, strict=True)
    for number, (address, size, row) in enumerate(arrays):
        name, dtype = names.get(address, (f"aux{number}", "bytes"))
        own = [Own(0, address, size, row)]
        families.append(Family(Kind.AUX, dtype, [0], row, own, name=name))
    return families


def families(queue: Any, kv_args: Any, where: Grid, decode: bool) -> list[Family]:
    """Of the bootstrap queue (prefill) or preallocation queue (decode) that owns the pools."""
    if where.sizes[1] > 1 and decode:
        # SGLang's stages agree on lists of requests there, and not by what each has received.
        raise _unsupported(
            "to a decode server of several pipeline stages",
            "start it with --pp-size 1; the prefill server may have several",
        )
    if kv_args.num_draft_entries:
        raise _unsupported("a draft model's KV cache", "start both sides without --speculative-*")
    pool = queue.token_to_kv_pool
    kinds = {type_.__name__ for type_ in type(pool).__mro__}
    states = [str(state.value) for state in kv_args.state_types]
    if states not in ([], ["swa"]) or bool(states) != ("SWAKVPool" in kinds):
        raise _unsupported(
            f"state of kind {', '.join(states)}, which this model's {type(pool).__name__} has",
            "use a model with full or sliding-window attention in all layers, or another backend",
        )
    config = queue.scheduler.model_config
    heads, page = config.get_total_num_kv_heads(), kv_args.page_size
    pools = _pools(pool, kv_args, where, config)
    if "SWAKVPool" in kinds or "MHATokenToKVPool" in kinds:
        found = [family for of in pools for family in _plain(of, page, heads)]
    elif "MLATokenToKVPool" in kinds:
        found = _latent(pools[0], page)
    else:
        raise _unsupported(f"a {type(pool).__name__}", "use another backend for this model")
    return found + _aux(kv_args, queue.metadata_buffers)


def _pools(pool: Any, kv_args: Any, where: Grid, config: Any) -> list[_Pool]:
    """One, or that of the layers with full attention and that of those with a window."""
    layers = [layer for each in where.stages for layer in each]
    own = where.stages[where.coord[1]]
    full = (kv_args.kv_data_ptrs, kv_args.kv_data_lens, kv_args.kv_item_lens)
    if not kv_args.state_types:
        return [_Pool(pool, full, layers, list(own))]
    window = tuple(
        column[0]
        for column in (
            kv_args.state_data_ptrs,
            kv_args.state_data_lens,
            kv_args.state_item_lens,
        )
    )
    of_window = set(config.swa_attention_layer_ids)

    def split(of: Sequence[int], inside: bool) -> list[int]:
        return [layer for layer in of if (layer in of_window) == inside]

    return [
        _Pool(pool.full_kv_pool, full, split(layers, False), split(own, False)),
        _Pool(pool.swa_kv_pool, window, split(layers, True), split(own, True), window=True),
    ]
