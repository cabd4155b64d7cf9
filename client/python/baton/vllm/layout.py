"""Baton's description of a vLLM engine: one ServerSpec, equal on all ranks, and where this rank's
caches lie. Pure: describe.py reads vLLM's own configuration."""
import dataclasses
from collections.abc import Sequence

import baton
from baton.vllm.groups import Group

NAME_MAX = 64


@dataclasses.dataclass(frozen=True)
class CacheSpec:
    """What one layer's cache means; equal on all ranks that hold some of it."""

    layer: int
    suffix: str          # which of the layer's caches: "self_attn.attn"
    group: int           # number of its page group
    latent: bool
    dtype: str
    heads: int           # over the whole server
    sharded: bool        # heads are split over tp
    head_bytes: int      # of one entry
    tokens_per_entry: int

    def family(self) -> tuple:
        """Layers alike in this are one tensor of the ServerSpec."""
        return dataclasses.astuple(dataclasses.replace(self, layer=0))


@dataclasses.dataclass(frozen=True)
class Strides:
    """Bytes from one to the next, in a layer's cache of this rank."""

    page: int
    entry: int
    head: int


@dataclasses.dataclass(frozen=True)
class Place:
    """Where a layer's cache of this rank lies."""

    cache: CacheSpec
    memory: int          # number of the pool
    offset: int
    pages: int
    strides: Strides


def entries(shape: Sequence[int], strides: Sequence[int], element: int, page_tokens: int,
            latent: bool) -> tuple[int, int, Strides]:
    """Tokens of an entry, bytes of a head of it, and strides, of a cache of the logical shape
    [blocks, heads, tokens, elements] (strides in elements). ValueError for what Baton cannot say.

    Where the tokens of a head lie side by side, a block is one entry: some backends pack them, the
    keys transposed, so that a single token has no place of its own. Latents are never packed."""
    _, _, tokens, width = shape
    by_block, by_head, by_token, by_element = (stride * element for stride in strides)
    if by_element != element or page_tokens % tokens != 0:
        raise ValueError("its shape is %s with strides %s, and a page has %d tokens"
                         % (tuple(shape), tuple(strides), page_tokens))
    blocks_of_page = page_tokens // tokens  # kernels may use smaller blocks than the scheduler
    page = by_block * blocks_of_page
    if by_token == width * element and not latent:
        return tokens, tokens * width * element, Strides(page, by_block, by_head)
    if blocks_of_page > 1 and by_block != tokens * by_token:
        raise ValueError("a page is %d blocks that do not follow one another" % blocks_of_page)
    return 1, width * element, Strides(page, by_token, by_head)


def server_spec(sizes: tuple[int, int, int, int], groups: Sequence[Group],
                stages: Sequence[Sequence[CacheSpec]]) -> tuple[baton.ServerSpec, dict[tuple, int]]:
    """The spec, and which tensor of it each family of caches is."""
    families: dict[tuple, list[CacheSpec]] = {}
    for cache in sorted((c for stage in stages for c in stage), key=lambda c: (c.layer, c.suffix)):
        families.setdefault(cache.family(), []).append(cache)
    tensors, names = [], dict[str, int]()
    for caches in families.values():
        first = caches[0]
        # Hybrid models keep one kind of cache in several page groups: "attn", "attn.1", ...
        count = names[first.suffix] = names.get(first.suffix, -1) + 1
        name = first.suffix + (".%d" % count if count else "")
        tensors.append(baton.TensorSpec(
            kind=baton.Kind.LATENT if first.latent else baton.Kind.K, name=name[-NAME_MAX:],
            layers=[c.layer for c in caches], page_group=first.group, dtype=first.dtype,
            heads=first.heads, head_bytes=first.head_bytes, tp_sharded=first.sharded,
            tokens_per_entry=first.tokens_per_entry))
    spec = baton.ServerSpec(
        sizes=sizes, stages=[sorted({c.layer for c in stage}) for stage in stages],
        page_groups=[baton.PageGroup(g.page_tokens, g.window_tokens) for g in groups],
        tensors=tensors)
    return spec, {family: number for number, family in enumerate(families)}


def buffers(places: Sequence[Place], tensor_of: dict[tuple, int],
            group_count: int) -> list[baton.Buffer]:
    """Region number memory * group_count + group: page groups may overlay each other in one pool,
    which a region may not."""
    return [baton.Buffer(
        tensor=tensor_of[p.cache.family()], layer=p.cache.layer,
        region=p.memory * group_count + p.cache.group, offset=p.offset, pages=p.pages,
        page_stride=p.strides.page, entry_stride=p.strides.entry, head_stride=p.strides.head)
            for p in places]
