"""Why a request's hand-over failed, as SGLang's queues take it."""

from __future__ import annotations

import baton


#: As a cause: told loudly where it happened, not here.
OTHER_RANK = object()


class HandOverFailed(Exception):
    """`failure_reason` goes to the engine's log and to the client."""

    def __init__(self, room: int, reason: str, is_from_another_rank: bool) -> None:
        super().__init__(reason)
        self.bootstrap_room = room
        self.failure_reason = reason
        #: SGLang logs a failure loudly on the rank that it belongs to.
        self.is_from_another_rank = is_from_another_rank

    def __str__(self) -> str:
        return f"room {self.bootstrap_room}: {self.failure_reason}"


def failed(room: int, cause: object, own_rank: str, peer: str = "") -> HandOverFailed:
    """`cause` is a room's, a call's, words of our own, or OTHER_RANK. `peer` is named where no rank
    is to blame."""
    if cause is OTHER_RANK:
        return HandOverFailed(room, "another rank of this server failed the request", True)
    if isinstance(cause, baton.BatonError):
        # Of one server all ranks fail together; a peer's failure is everyone's to tell.
        server = own_rank.partition("[")[0]
        elsewhere = cause.rank != own_rank and cause.rank.partition("[")[0] == server
        where = f" (with {peer})" if peer and not cause.rank else ""
        return HandOverFailed(room, str(cause) + where, elsewhere)
    return HandOverFailed(room, str(cause or "it failed without a cause"), False)
