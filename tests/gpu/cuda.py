"""Memory of a GPU by the driver alone, or by its stand-in: whichever libcuda.so.1 comes first."""
import ctypes
import functools

import numpy as np

Handle = ctypes.c_ulonglong
Address = ctypes.c_uint64


class _Location(ctypes.Structure):
    _fields_ = [("type", ctypes.c_int), ("id", ctypes.c_int)]


class _AllocationRule(ctypes.Structure):
    _fields_ = [("type", ctypes.c_int), ("handle_types", ctypes.c_int), ("location", _Location),
                ("zero", ctypes.c_void_p), ("flags", ctypes.c_ubyte * 8)]


class _AccessRule(ctypes.Structure):
    _fields_ = [("location", _Location), ("flags", ctypes.c_int)]


@functools.cache
def driver() -> ctypes.CDLL:
    library = ctypes.CDLL("libcuda.so.1")
    assert library.cuInit(0) == 0
    return library


def call(name: str, *arguments) -> None:
    """Raises with the driver's word for what went wrong."""
    result = getattr(driver(), name)(*arguments)
    if result == 0:
        return
    word = ctypes.c_char_p()
    driver().cuGetErrorName(result, ctypes.byref(word))
    raise RuntimeError("%s: %s" % (name, word.value))


def count() -> int:
    number = ctypes.c_int()
    call("cuDeviceGetCount", ctypes.byref(number))
    return number.value


class GpuMemory:
    """Bytes on one GPU, the last one if there are fewer; of cuMemAlloc, or of cuMemCreate."""

    UNIT = 2 << 20  # a multiple of every GPU's smallest unit of mapped memory

    def __init__(self, gpu: int, size: int, mapped: bool = False):
        self.size = size
        self.gpu = min(gpu, count() - 1)
        context = ctypes.c_void_p()
        call("cuDevicePrimaryCtxRetain", ctypes.byref(context), self.gpu)
        self._context = context
        self._make_current()
        address = Address()
        if mapped:
            self._map(address, -(-size // self.UNIT) * self.UNIT)
        else:
            call("cuMemAlloc_v2", ctypes.byref(address), ctypes.c_size_t(size))
        self.address = address.value

    def _make_current(self) -> None:
        call("cuCtxSetCurrent", self._context)

    def _map(self, address: Address, size: int) -> None:
        location = _Location(1, self.gpu)
        allocation = Handle()
        rule = _AllocationRule(1, 1, location)
        size = ctypes.c_size_t(size)
        none = ctypes.c_size_t(0)
        call("cuMemCreate", ctypes.byref(allocation), size, ctypes.byref(rule), Handle(0))
        call("cuMemAddressReserve", ctypes.byref(address), size, none, Address(0), Handle(0))
        call("cuMemMap", address, size, none, allocation, Handle(0))
        access = _AccessRule(location, 3)
        call("cuMemSetAccess", address, size, ctypes.byref(access), ctypes.c_size_t(1))
        call("cuMemRelease", allocation)

    def write(self, values: np.ndarray) -> None:
        assert values.nbytes <= self.size and values.flags.c_contiguous
        self._make_current()
        call("cuMemcpyHtoD_v2", Address(self.address), ctypes.c_void_p(values.ctypes.data),
             ctypes.c_size_t(values.nbytes))

    def read(self) -> np.ndarray:
        values = np.empty(self.size, np.uint8)
        self._make_current()
        call("cuMemcpyDtoH_v2", ctypes.c_void_p(values.ctypes.data), Address(self.address),
             ctypes.c_size_t(self.size))
        return values
