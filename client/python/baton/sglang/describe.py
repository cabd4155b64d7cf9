"""What SGLang's pools hold, as layout.py takes it. Refuses by name what it cannot describe."""

from __future__ import annotations

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


def _own(kv_args: Any, first: int, layers: list[int]) -> list[Own]:
    return [
        Own(
            layer,
            kv_args.kv_data_ptrs[first + i],
            kv_args.kv_data_lens[first + i],
            kv_args.kv_item_lens[first + i],
        )
        for i, layer in enumerate(layers)
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


def _plain(pool: Any, kv_args: Any, stage: list[int], layers: list[int], heads: int):
    """MHA and GQA: keys of each layer, then values of each."""
    if pool.kv_cache_layout != "nhd":
        raise _unsupported(
            f"a KV cache in layout {pool.kv_cache_layout}",
            "unset SGLANG_USE_HND_KVCACHE and the attention backend that asks for the layout",
        )
    families = []
    for kind, first, dim in (
        (Kind.K, 0, pool.head_dim),
        (Kind.V, len(stage), pool.v_head_dim),
    ):
        family = Family(
            kind=kind,
            dtype=_text(pool.dtype),
            layers=layers,
            heads=heads,
            head_bytes=dim * pool.store_dtype.itemsize,
            tp_sharded=True,
            own=_own(kv_args, first, stage),
        )
        families.append(_check_entries(family, pool.head_num, kv_args.page_size))
    return families


def _latent(pool: Any, kv_args: Any, stage: list[int], layers: list[int]):
    """MLA: one latent row a token and layer, equal on all tp ranks."""
    entry = kv_args.kv_item_lens[0] // kv_args.page_size
    family = Family(
        kind=Kind.LATENT,
        dtype=_text(pool.dtype),
        layers=layers,
        head_bytes=entry,
        own=_own(kv_args, 0, stage),
    )
    return [_check_entries(family, 1, kv_args.page_size)]


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
    pool = queue.token_to_kv_pool
    if getattr(pool, "shard_spec", None) is not None:
        # Each rank holds a stripe of the pages, turned by a number of its own for each prefix.
        raise _unsupported(
            "a KV cache whose pages are shared out over ranks",
            "start the prefill server without --enable-kv-cache-sharding",
        )
    kinds = {type_.__name__ for type_ in type(pool).__mro__}
    if kv_args.state_types:
        names = ", ".join(str(state.value) for state in kv_args.state_types)
        raise _unsupported(
            f"state of kind {names}, which this model's {type(pool).__name__} has",
            "use a model with full attention in all layers, or another backend",
        )
    if kv_args.num_draft_entries:
        raise _unsupported("a draft model's KV cache", "start both sides without --speculative-*")
    stage = list(where.stages[where.coord[1]])
    layers = [layer for each in where.stages for layer in each]
    config = queue.scheduler.model_config
    if "MHATokenToKVPool" in kinds:
        found = _plain(pool, kv_args, stage, layers, config.get_total_num_kv_heads())
    elif "MLATokenToKVPool" in kinds:
        found = _latent(pool, kv_args, stage, layers)
    else:
        raise _unsupported(f"a {type(pool).__name__}", "use another backend for this model")
    if len(kv_args.kv_data_ptrs) != len(found) * len(stage):
        raise _unsupported(
            f"{len(kv_args.kv_data_ptrs)} buffers for {len(stage)} layers of a "
            f"{type(pool).__name__}",
            "use a model whose layers all keep their own KV cache",
        )
    return found + _aux(kv_args, queue.metadata_buffers)
