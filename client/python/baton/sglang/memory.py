"""Puts an engine's pools where its agent can reach them: host memory in memfds of ours, GPU memory
as dma-bufs."""

from __future__ import annotations

import bisect
import contextlib

import baton

PAGE = 4096


class Pools:
    """The pools of this process by their addresses."""

    def __init__(self) -> None:
        self._pools: list[baton.Pool] = []
        self._starts: list[int] = []

    def host(self, size: int, name: str) -> baton.HostPool:
        """New memory, kept as long as the process."""
        pool = baton.HostPool(-(-size // PAGE) * PAGE, name)
        pool.populate()
        self._keep(pool.address, pool)
        return pool

    def _keep(self, address: int, pool: baton.Pool) -> None:
        at = bisect.bisect(self._starts, address)
        self._starts.insert(at, address)
        self._pools.insert(at, pool)

    def _find(self, address: int, size: int) -> tuple[int, baton.Pool] | None:
        at = bisect.bisect(self._starts, address) - 1
        if at < 0 or address + size > self._starts[at] + self._pools[at].size:
            return None
        return self._starts[at], self._pools[at]

    def find(self, address: int, size: int, on_device: bool, name: str) -> tuple[baton.Pool, int]:
        """The pool that holds a range, and where in it. Memory that is not ours yet becomes so."""
        found = self._find(address, size)
        if found is None:
            if on_device:
                start, length = _device_segment(address)
                self._keep(start, baton.export_cuda(start, length, name))
            else:
                # Only what an engine allocated behind our back comes here.
                pool = baton.adopt(address, size, name, neighbours=True)
                self._keep(address - pool.offset, pool)
            found = self._find(address, size)
            if found is None:
                raise baton.BatonError(
                    "BAD_REGION",
                    f"{name} has {size} bytes from {address:#x} on, which no one allocation holds",
                )
        start, pool = found
        return pool, address - start

    @contextlib.contextmanager
    def host_zeros(self, name: str):
        """While it lasts, torch.zeros on the CPU answers with memory of ours."""
        from torch.overrides import TorchFunctionMode  # noqa: PLC0415  an engine has it

        import torch  # noqa: PLC0415

        pools = self

        class Zeros(TorchFunctionMode):
            def __torch_function__(self, function, types, args=(), kwargs=None):
                kwargs = kwargs or {}
                if function is not torch.zeros or torch.device(kwargs.get("device") or "cpu") != (
                    torch.device("cpu")
                ):
                    return function(*args, **kwargs)
                shape = torch.zeros(*args, **{**kwargs, "device": "meta"})
                return pools.tensor(shape, name)

        with Zeros():
            yield

    def tensor(self, like, name: str):
        """A zeroed tensor of ours with the shape and dtype of `like`."""
        import torch  # noqa: PLC0415

        if like.numel() == 0:
            return torch.zeros(like.shape, dtype=like.dtype)
        pool = self.host(like.nbytes, name)
        return pool.torch()[: like.nbytes].view(like.dtype).view(like.shape)


def _device_segment(address: int) -> tuple[int, int]:
    """PyTorch cuts tensors out of larger allocations; only those can be exported."""
    import torch  # noqa: PLC0415

    for segment in torch.cuda.memory_snapshot():
        start, size = segment["address"], segment["total_size"]
        if start <= address < start + size:
            return start, size
    raise baton.BatonError(
        "BAD_REGION",
        f"PyTorch has allocated no GPU memory around {address:#x}: a pool that was allocated "
        "otherwise (--enable-memory-saver, a custom memory pool) cannot be exported",
    )


class Regions:
    """The regions of one attachment, each pool once, in the order of their first use."""

    def __init__(self, pools: Pools) -> None:
        self._pools = pools
        self._index: dict[int, int] = {}
        self.used: list[baton.Pool] = []

    def locate(self, on_device: bool, name: str):
        """For layout.buffers_of."""

        def find(address: int, size: int) -> tuple[int, int]:
            pool, offset = self._pools.find(address, size, on_device, name)
            if id(pool) not in self._index:
                self._index[id(pool)] = len(self.used)
                self.used.append(pool)
            return self._index[id(pool)], offset

        return find

    @property
    def device_orders_writes(self) -> bool:
        """Whether no exported GPU pool needs a flush after an adapter's writes."""
        device = [pool for pool in self.used if pool.dma_buf]
        return bool(device) and all(pool.device_orders_writes for pool in device)


POOLS = Pools()
