"""Finds and loads libbaton_c.so, once for the process."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

# The version of client/c/baton.h that this package speaks.
ABI_VERSION = 1


def path() -> Path:
    """Where the library is: the file that BATON_C_LIBRARY names, or the wheel's own."""
    named = os.environ.get("BATON_C_LIBRARY")
    if named:
        return Path(named)
    return Path(__file__).parent / "lib" / "libbaton_c.so"


def _load() -> tuple[ctypes.CDLL, ctypes.PyDLL]:
    file = path()
    if not file.exists():
        raise ImportError(
            f"{file} is missing: install Baton's wheel (make wheel), or name the library in "
            "BATON_C_LIBRARY"
        )
    library = ctypes.CDLL(str(file))
    version = library.baton_abi_version
    version.restype = ctypes.c_uint32
    if version() < ABI_VERSION:
        raise ImportError(
            f"{file} has version {version()} of Baton's C ABI, and this package needs "
            f"{ABI_VERSION}: install the two from one wheel"
        )
    return library, ctypes.PyDLL(str(file))


# `LIBRARY` lets other Python threads run during a call. `QUICK` does not: it is for calls that take
# no lock, since a thread that held one could be waiting for Python itself, to log.
LIBRARY, QUICK = _load()
