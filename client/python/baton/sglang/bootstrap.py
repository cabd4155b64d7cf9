"""In the place of SGLang's bootstrap server, in a prefill engine's first process."""

from __future__ import annotations

import logging

from sglang.srt.disaggregation.base.conn import BaseKVBootstrapServer

logger = logging.getLogger(__name__)


class BootstrapServer(BaseKVBootstrapServer):
    """Serves nothing: agents register ranks with Baton's own bootstrap service. The port stays what
    routers name this server by."""

    def __init__(self, host: str, port: int) -> None:
        logger.info(
            "baton: nothing listens on the bootstrap port %d; routers name this server by it", port
        )

    def close(self) -> None:
        """There is nothing to close."""
