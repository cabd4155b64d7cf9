"""Reads vLLM's configuration: page groups, caches of the layers, this rank's place."""
import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from vllm.distributed.parallel_state import get_pp_group, get_tensor_model_parallel_rank
from vllm.v1 import kv_cache_interface as kv

from baton.vllm import layout
from baton.vllm.groups import Group, PageGroups

if TYPE_CHECKING:
    from vllm.config import VllmConfig


def page_groups(config: kv.KVCacheConfig) -> PageGroups:
    """ValueError for a kind of cache that is not handed over."""
    groups = []
    for index in config.transfer_group_ids:
        spec = config.kv_cache_groups[index].kv_cache_spec
        each = spec.kv_cache_specs.values() if isinstance(spec, kv.UniformTypeKVCacheSpecs) \
            else [spec]
        for one in each:
            _check(one)
        window = getattr(next(iter(each)), "sliding_window", None) \
            if all(isinstance(one, kv.SlidingWindowSpec) for one in each) else None
        # The next token to compute needs window - 1 before it, and vLLM keeps no more.
        groups.append(Group(spec.block_size, max(window - 1, 1) if window else 0))
    return PageGroups(tuple(groups), tuple(config.transfer_group_ids))


def _check(spec: kv.KVCacheSpec) -> None:
    unlike = (kv.RSWASpec, kv.HiddenStateCacheSpec, kv.SinkFullAttentionSpec)
    if isinstance(spec, (kv.FullAttentionSpec, kv.SlidingWindowSpec)) and \
            not isinstance(spec, unlike):
        return
    raise ValueError("Baton hands over caches of full, sliding-window and latent attention; this "
                     "model has a %s. Serve it without kv_connector BatonConnector."
                     % type(spec).__name__)


def check_parallel(config: "VllmConfig") -> None:
    """ValueError where tokens are split over ranks."""
    parallel = config.parallel_config
    for name in ("decode_context_parallel_size", "prefill_context_parallel_size"):
        if getattr(parallel, name, 1) != 1:
            raise ValueError("Baton's connector does not know vLLM's context parallelism yet: "
                             "set %s to 1" % name)


def sizes(config: "VllmConfig") -> tuple[int, int, int, int]:
    parallel = config.parallel_config
    return (parallel.data_parallel_size, parallel.pipeline_parallel_size, 1,
            parallel.tensor_parallel_size)


def coord(config: "VllmConfig") -> tuple[int, int, int, int]:
    """(dp, pp, cp, tp) of this worker."""
    return (config.parallel_config.data_parallel_index, get_pp_group().rank_in_group, 0,
            get_tensor_model_parallel_rank())


def launch_id(config: "VllmConfig") -> str:
    """Equal on all ranks of one start: vLLM draws both at it. A fixed engine_id is not enough."""
    engine = config.kv_transfer_config.engine_id or ""
    dp = "_dp%d" % config.parallel_config.data_parallel_index
    return "%s-%s" % (engine.removesuffix(dp), config.instance_id)


def model(config: "VllmConfig") -> str:
    """The name that the model is served under; its path where none was given."""
    name = config.model_config.served_model_name or config.model_config.model
    return name[0] if isinstance(name, list) else name


@dataclasses.dataclass(frozen=True)
class LayerCache:
    """A layer's cache with the tensor that vLLM gave it."""

    spec: layout.CacheSpec
    strides: layout.Strides
    tensor: torch.Tensor

    @property
    def address(self) -> int:
        return self.tensor.data_ptr()


def caches(config: "VllmConfig", kv_config: kv.KVCacheConfig, groups: PageGroups,
           tensors: dict[str, torch.Tensor]) -> list[LayerCache]:
    """ValueError names the layer that cannot be described."""
    found = []
    for number, index in enumerate(groups.ids):
        group = kv_config.kv_cache_groups[index]
        for name in group.layer_names:
            if name not in tensors:
                continue  # of another pipeline stage
            spec = group.kv_cache_spec
            if isinstance(spec, kv.UniformTypeKVCacheSpecs):
                spec = spec.kv_cache_specs[name]
            try:
                found.append(_cache(config, name, number, groups.groups[number], spec,
                                    tensors[name]))
            except ValueError as error:
                raise ValueError("layer %s cannot be handed over: %s" % (name, error)) from None
    return found


def _cache(config: "VllmConfig", name: str, number: int, group: Group, spec: kv.AttentionSpec,
           tensor: torch.Tensor) -> LayerCache:
    if not isinstance(tensor, torch.Tensor) or tensor.dim() != 4:
        raise ValueError("vLLM gave no tensor of four dimensions for it")
    latent = isinstance(spec, (kv.MLAAttentionSpec, kv.SlidingWindowMLASpec))
    tokens, head_bytes, strides = layout.entries(
        tensor.shape, tensor.stride(), tensor.element_size(), group.page_tokens, latent)
    layer, suffix = split_name(name)
    tp = config.parallel_config.tensor_parallel_size
    local = tensor.shape[1]
    # Where tp outnumbers the heads, ranks hold the same one.
    total = local * tp if local > 1 else min(tp, config.model_config.get_total_num_kv_heads())
    return LayerCache(layout.CacheSpec(
        layer=layer, suffix=suffix, group=number, latent=latent,
        dtype=_dtype(config, spec, tensor, latent), heads=1 if latent else total,
        sharded=not latent and tp > 1, head_bytes=head_bytes, tokens_per_entry=tokens),
        strides, tensor)


def split_name(name: str) -> tuple[int, str]:
    """"model.layers.3.self_attn.attn" -> (3, "self_attn.attn")."""
    parts = name.split(".")
    numbers = [i for i, part in enumerate(parts) if part.isdigit()]
    if not numbers:
        raise ValueError("its name has no number")
    return int(parts[numbers[0]]), ".".join(parts[numbers[0] + 1:])


def _dtype(config: "VllmConfig", spec: kv.AttentionSpec, tensor: torch.Tensor,
           latent: bool) -> str:
    """Element type, and on a CPU how the processor's kernels pack a block: unlike ones are refused
    by name when the servers meet."""
    name = str(tensor.dtype).removeprefix("torch.")
    if tensor.device.type != "cpu" or latent:
        return name
    return "%s/cpu-%s-%d" % (name, _packing(config, spec), spec.block_size)


def _packing(config: "VllmConfig", spec: kv.AttentionSpec) -> str:
    try:
        from vllm.v1.attention.backends.cpu_attn import _get_attn_isa
    except ImportError:
        return torch.backends.cpu.get_cpu_capability()
    return _get_attn_isa(spec.dtype, spec.block_size, spec.head_size,
                         config.cache_config.cache_dtype)


def gather_stages(mine: Sequence[layout.CacheSpec]) -> list[list[layout.CacheSpec]]:
    """Caches of all pipeline stages. Every worker calls it, at the start."""
    group = get_pp_group()
    if group.world_size == 1:
        return [list(mine)]
    stages: list = [None] * group.world_size
    torch.distributed.all_gather_object(stages, list(mine), group=group.cpu_group)
    return stages
