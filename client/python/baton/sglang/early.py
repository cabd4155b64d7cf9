"""Prompts that are computed and handed to the agent before decode has given pages for them."""

from __future__ import annotations

# Their pages are held until decode has a place. Were there no bound, prompts that decode does wait
# for might find no page left.
_SHARE = 4


class Early:
    """At most a quarter of the pool, unless said otherwise."""

    def __init__(self, pool_tokens: int, share: int = _SHARE) -> None:
        self._left = pool_tokens // share
        self._taken: dict[int, int] = {}

    def take(self, room: int, tokens: int) -> bool:
        """Whether the room's prompt may be computed now."""
        if room in self._taken:
            return True
        if tokens > self._left:
            return False
        self._left -= tokens
        self._taken[room] = tokens
        return True

    def give_back(self, room: int) -> None:
        """Decode has given pages for it, or it has ended; also for rooms that took nothing."""
        self._left += self._taken.pop(room, 0)
