"""The client's log lines, handed to Python's logging as the logger "baton"."""

from __future__ import annotations

import atexit
import logging
import threading

from baton import _abi

logger = logging.getLogger("baton")

_LEVELS = {0: logging.INFO, 1: logging.WARNING, 2: logging.ERROR}
_lock = threading.Lock()
_started = False


def _write(_context, level: int, text: bytes) -> None:
    logger.log(_LEVELS.get(level, logging.ERROR), "%s", text.decode(errors="replace"))


# Kept for as long as the library may call it.
_function = _abi.LogFunction(_write)


def _stop() -> None:
    # A thread of the client's must not enter an interpreter that is ending.
    _abi.set_log(_abi.LogFunction(), None)


def start() -> None:
    """Called by the first Engine."""
    global _started
    with _lock:
        if not _started:
            _abi.set_log(_function, None)
            atexit.register(_stop)
            _started = True
