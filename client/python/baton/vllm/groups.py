"""Page groups: vLLM's KV cache groups as Baton sees them, and which of a request's blocks hold some
of its tokens. Pure."""
import dataclasses
from collections.abc import Sequence


@dataclasses.dataclass(frozen=True)
class Group:
    page_tokens: int
    # vLLM keeps a block as long as it holds one of the last (window - 1) tokens before the next
    # one to compute. 0: all tokens.
    window_tokens: int = 0


@dataclasses.dataclass(frozen=True)
class PageGroups:
    groups: tuple[Group, ...]
    # Of vLLM's cache groups, in the order of `groups`: not every one need be handed over.
    ids: tuple[int, ...]

    def pages(self, block_ids: Sequence[Sequence[int]], begin: int, end: int,
              total: int) -> list[list[int]]:
        """Blocks of the tokens [begin, end) of a room of `total`, inside each group's window."""
        found = []
        for group, index in zip(self.groups, self.ids):
            first = begin
            if group.window_tokens and total > group.window_tokens:
                first = max(begin, total - group.window_tokens)
            if first >= end:
                found.append([])
                continue
            found.append(list(block_ids[index][first // group.page_tokens:
                                               -(-end // group.page_tokens)]))
        return found

    def none(self) -> list[list[int]]:
        return [[] for _ in self.groups]
