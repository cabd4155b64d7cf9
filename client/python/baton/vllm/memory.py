"""vLLM's cache memory within the agent's reach. On a CPU vLLM's one allocation is answered with a
memfd of ours; memory that came another way is adopted in place; a GPU's is exported."""
import dataclasses
import mmap
from collections.abc import Sequence
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

import baton


class CacheMemory(TorchFunctionMode):
    """As a context it answers the allocation; afterwards it finds the pool of an address."""

    def __init__(self) -> None:
        super().__init__()
        self.pools: list[baton.Pool] = []
        self._starts: list[tuple[int, int]] = []  # address and bytes of each pool's own range

    def __torch_function__(self, func: Any, types: Any, args: Sequence[Any] = (),
                           kwargs: dict[str, Any] | None = None) -> Any:
        kwargs = kwargs or {}
        if func is torch.zeros and self._is_cache(args, kwargs):
            return self._allocate(args[0])
        return func(*args, **kwargs)

    @staticmethod
    def _is_cache(args: Sequence[Any], kwargs: dict[str, Any]) -> bool:
        device = torch.device(kwargs.get("device") or "cpu")
        return (len(args) == 1 and isinstance(args[0], int) and args[0] >= mmap.PAGESIZE and
                kwargs.get("dtype") is torch.int8 and device.type == "cpu")

    def _allocate(self, size: int) -> torch.Tensor:
        pool = baton.HostPool(-(-size // mmap.PAGESIZE) * mmap.PAGESIZE, name="vllm-kv")
        pool.populate()
        self._keep(pool, pool.address)
        return pool.torch(torch.int8)[:size]

    def _keep(self, pool: baton.Pool, address: int) -> None:
        self.pools.append(pool)
        self._starts.append((address - pool.offset, pool.size))

    def find(self, tensor: torch.Tensor) -> tuple[int, int]:
        """Number of the pool that holds the tensor, and where in it the tensor begins. BatonError
        where the memory cannot be had."""
        storage = tensor.untyped_storage()
        begin, end = storage.data_ptr(), storage.data_ptr() + storage.nbytes()
        for number, (start, size) in enumerate(self._starts):
            if start <= begin and end <= start + size:
                return number, tensor.data_ptr() - start
        if tensor.device.type == "cpu":
            self._keep(baton.adopt(begin, end - begin, name="vllm-kv", neighbours=True), begin)
        else:
            self._keep(baton.export_cuda(begin, end - begin, name="vllm-kv"), begin)
        return len(self.pools) - 1, tensor.data_ptr() - self._starts[-1][0]

    def regions(self, group_count: int) -> list[baton.Region]:
        """Each pool once for every page group, as layout.buffers counts them."""
        return [dataclasses.replace(pool.region(), name="%s-%d" % (pool.name, group))
                for pool in self.pools for group in range(group_count)]

    def device_orders_writes(self) -> bool:
        return bool(self.pools) and all(pool.device_orders_writes for pool in self.pools)
