"""Memory that an agent can reach."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import DTypeLike

from baton import _abi
from baton.errors import check

if TYPE_CHECKING:
    import torch

_libc = ctypes.CDLL(None)
_libc.madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
_MADV_POPULATE_WRITE = 23


@dataclass(frozen=True)
class Region:
    """One piece of memory as an engine hands it over: a memfd with F_SEAL_SHRINK, or a GPU's.

    The descriptor is borrowed until the engine is closed, and so is the pool.
    """

    fd: int
    size: int
    name: str
    dma_buf: bool = False
    #: Of GPU memory: the pool whose handles for the processes of this host go along.
    pool: Pool | None = field(default=None, repr=False, compare=False)

    def to_abi(self) -> _abi.Region:
        """As the C library takes it."""
        return _abi.sized(
            _abi.Region,
            fd=self.fd,
            bytes=self.size,
            name=self.name.encode(),
            dma_buf=self.dma_buf,
            pool=self.pool.handle if self.pool else None,
        )


class Pool:
    """A descriptor and what it holds. Keep it as long as engines are attached with it."""

    def __init__(self, name: str, handle: ctypes.c_void_p) -> None:
        self.name = name
        self._handle = handle
        info = _abi.sized(_abi.PoolInfo)
        _abi.pool_get_info(handle, ctypes.byref(info))
        self.fd: int = info.fd
        self.size: int = info.bytes
        self.address: int = info.address or 0
        #: Of adopted memory: where the range that was given begins in the region.
        self.offset: int = info.offset
        self.dma_buf = bool(info.dma_buf)
        #: Of GPU memory: its kernels see what an adapter has written without a flush.
        self.device_orders_writes = bool(info.device_orders_writes)
        #: Of GPU memory: how other processes of this host map it, "ipc" or "descriptor"; "" if not.
        self.lent: str = ("", "ipc", "descriptor")[info.lent]
        #: Of GPU memory: what its driver does not offer, and why.
        self.missing: str = (info.missing or b"").decode()

    @property
    def handle(self) -> int | None:
        """The C library's pointer; None once closed."""
        return self._handle.value

    def region(self) -> Region:
        """The pool as `Engine` takes it."""
        return Region(
            self.fd, self.size, self.name, self.dma_buf, pool=self if self.dma_buf else None
        )

    def close(self) -> None:
        """Closes the descriptor and unmaps memory that is ours. Arrays over it must be gone."""
        if self._handle:
            _abi.pool_free(self._handle)
            self._handle = ctypes.c_void_p()

    def __enter__(self):
        return self

    def __exit__(self, *_) -> None:
        self.close()


class HostPool(Pool):
    """Zeroed host memory in a sealed memfd. Its pages come when they are touched, or by `populate`.

    The memory is never unmapped on its own: arrays and tensors over it stay valid until `close`.
    """

    def __init__(self, size: int, name: str = "kv") -> None:
        """`size` in bytes. Raises BatonError (BAD_REGION, SYSTEM) with what was short."""
        handle = ctypes.c_void_p()
        check(_abi.pool_create, name.encode(), size, ctypes.byref(handle))
        super().__init__(name, handle)

    def populate(self) -> None:
        """Maps all pages now: otherwise each request pays for those that it touches first.
        Without effect before Linux 5.14."""
        _libc.madvise(self.address, self.size, _MADV_POPULATE_WRITE)

    @property
    def buffer(self) -> memoryview:
        """All bytes, writable."""
        return memoryview((ctypes.c_uint8 * self.size).from_address(self.address)).cast("B")

    def numpy(self, dtype: DTypeLike = np.uint8) -> np.ndarray:
        """All of it as a flat array."""
        return np.frombuffer(self.buffer, dtype=dtype)

    def torch(self, dtype: torch.dtype | None = None) -> torch.Tensor:
        """All of it as a flat tensor, of bytes unless told."""
        import torch  # noqa: PLC0415  an engine may not have it

        return torch.frombuffer(self.buffer, dtype=dtype or torch.uint8)


def adopt(address: int, size: int, name: str = "kv", neighbours: bool = False) -> Pool:
    """Puts a memfd behind memory that the engine has allocated, in place, with its contents.

    The range must be private, writable memory without a file behind it, as malloc or
    `torch.zeros` give it, and whole pages; with `neighbours` what shares its first and last page
    moves along, and the agent can reach that too. Nothing may write to it during the call. Raises
    BatonError (BAD_REGION) that says what the memory is instead.
    """
    handle = ctypes.c_void_p()
    around = 1 if neighbours else 0
    check(_abi.pool_adopt, name.encode(), address, size, around, ctypes.byref(handle))
    return Pool(name, handle)


def export_cuda(address: int, size: int, name: str = "kv") -> Pool:
    """NVIDIA device memory from `address` on, all in one allocation.

    The pool has what the driver offers: a handle by which other processes of this host map it
    (`lent`), and a dma-buf for RDMA devices, for which both numbers are multiples of 4096;
    `missing` says what it could not, and why. The calling thread must have the device's context as
    its current one, as it has after any CUDA call of PyTorch. Raises BatonError (NO_TRANSPORT,
    BAD_REGION) with the driver's word.
    """
    handle = ctypes.c_void_p()
    check(_abi.pool_export_cuda, address, size, ctypes.byref(handle))
    return Pool(name, handle)
