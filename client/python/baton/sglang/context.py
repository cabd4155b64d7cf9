"""What SGLang's constructors and calls do not hand over, noted by hooks around their callers.

A scheduler is one thread, so each note lasts exactly as long as the call it is made for.
"""

from __future__ import annotations

import contextlib
from typing import Any


class Note:
    """A value for the time of a call."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._values: list[Any] = []

    @contextlib.contextmanager
    def of(self, value: Any):
        """Sets the value."""
        self._values.append(value)
        try:
            yield
        finally:
            self._values.pop()

    def read(self) -> Any:
        """The value. Raises RuntimeError outside of such a call: then a hook was not put in."""
        if not self._values:
            raise RuntimeError(
                f"baton.sglang does not know {self._what}: SGLang did not load the plugin before "
                "it started its scheduler; is SGLANG_PLUGINS set to something without 'baton'?"
            )
        return self._values[-1]


#: The queue that makes the manager: it has the pools.
QUEUE = Note("the queue that owns the KV pool")
#: Exact number of the prompt's tokens, which SGLang's own backends do not need.
TOTAL_TOKENS = Note("the length of the prompt")
