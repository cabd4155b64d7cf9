"""The attachment of one rank, also while its agent is not there yet."""

from __future__ import annotations

import logging
import threading
import time
from typing import Any

import baton

logger = logging.getLogger(__name__)

# What an agent that comes later cures. Everything else is wrong for good and ends the engine.
_LATER = ("DEADLINE", "AGENT_LOST", "NOT_READY", "DRAINING", "FULL")
_SAY_AGAIN_S = 60.0
_TRY_S = 5.0


class Attachment:
    """Waits for the agent once, then lets the engine start and goes on trying beside it."""

    def __init__(self, attach_timeout: float, **options: Any) -> None:
        self.rank = "%s[dp%d/pp%d/cp%d/tp%d]" % (options["server"], *options["coord"])
        self._options = options
        self._engine: baton.Engine | None = None
        self._error: baton.BatonError | None = None
        self._closed = False
        if not self._attach(attach_timeout):
            threading.Thread(target=self._go_on, name="baton-attach", daemon=True).start()

    def _attach(self, timeout: float) -> bool:
        try:
            self._engine = baton.Engine(attach_timeout=timeout, **self._options)
        except baton.BatonError as error:
            if error.reason not in _LATER:
                raise
            self._error = error
            logger.error(
                "baton: %s has no agent, its requests fail until it has: %s", self.rank, error
            )
            return False
        logger.info("baton: %s is attached at %s", self.rank, self._options["agent_socket"])
        return True

    def _go_on(self) -> None:
        said = time.monotonic()
        while not self._closed:
            try:
                self._engine = baton.Engine(attach_timeout=_TRY_S, **self._options)
            except baton.BatonError as error:
                self._error = error
                if time.monotonic() - said > _SAY_AGAIN_S:
                    said = time.monotonic()
                    logger.error("baton: %s still has no agent: %s", self.rank, error)
                if error.reason not in _LATER:
                    time.sleep(_TRY_S)  # It answers at once.
            else:
                logger.info("baton: %s is attached at last", self.rank)
                return

    @property
    def engine(self) -> baton.Engine:
        """Raises BatonError while there is none."""
        if self._engine is None:
            error = self._error
            raise baton.BatonError(error.reason, error.text, self.rank, error.cure)
        return self._engine

    def close(self) -> None:
        """Detaches; open rooms fail."""
        self._closed = True
        if self._engine is not None:
            self._engine.close()
