"""Two small language models of random weights with a paged cache: heads of K and V as Llama has
them (grouped queries), and one latent vector a token (MLA). Nothing here knows of Baton."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.nn import functional as F


@dataclass(frozen=True)
class Config:
    """Sizes; the weights follow from `seed`."""

    kind: str = "llama"  # or "mla"
    layers: int = 4
    width: int = 512
    heads: int = 8
    kv_heads: int = 4  # llama
    latent: int = 192  # mla
    vocabulary: int = 2048
    seed: int = 1

    @property
    def head_width(self) -> int:
        return self.width // self.heads

    @property
    def entry_shape(self) -> tuple[int, int]:
        """Heads and width of what one token leaves in the cache, of each tensor and layer."""
        return (self.kv_heads, self.head_width) if self.kind == "llama" else (1, self.latent)

    @property
    def cached_tensors(self) -> int:
        """K and V, or the latent."""
        return 2 if self.kind == "llama" else 1


class Model:
    """Runs one sequence at a time. The cache is a tensor
    [cached tensor, layer, page, token, head, width] that somebody else owns."""

    def __init__(self, config: Config, cache: torch.Tensor) -> None:
        self.config = config
        self.cache = cache
        self.page_tokens = cache.shape[3]
        # Drawn on the CPU: the same on every device.
        generator = torch.Generator().manual_seed(config.seed)

        def draw(rows: int, columns: int) -> torch.Tensor:
            weight = torch.randn(rows, columns, generator=generator) / rows**0.5
            return weight.to(cache.device, cache.dtype)

        c = config
        heads, width = c.entry_shape
        self.embedding = draw(c.vocabulary, c.width)
        self.head = draw(c.width, c.vocabulary)
        self.layers = [
            {
                "query": draw(c.width, c.width),
                "cached": [draw(c.width, heads * width) for _ in range(c.cached_tensors)],
                # MLA: keys and values of all heads come from the latent.
                "expand": [draw(c.latent, c.width) for _ in range(2)] if c.kind == "mla" else [],
                "output": draw(c.width, c.width),
                "up": draw(c.width, 2 * c.width),
                "down": draw(2 * c.width, c.width),
            }
            for _ in range(c.layers)
        ]

    @torch.inference_mode()
    def forward(self, tokens: list[int], begin: int, pages: list[int]) -> int:
        """Computes tokens [begin, begin + len) of a sequence whose pages are `pages`: writes their
        cache, reads that of the tokens before, and returns the likeliest next token."""
        device = self.cache.device
        position = torch.arange(begin, begin + len(tokens), device=device)
        table = torch.tensor(pages, device=device)
        place = table[position // self.page_tokens], position % self.page_tokens
        hidden = self.embedding[torch.tensor(tokens, device=device)]
        for number, layer in enumerate(self.layers):
            normed = F.rms_norm(hidden, hidden.shape[-1:])
            hidden = hidden + self._attention(number, layer, normed, position, place, table)
            normed = F.rms_norm(hidden, hidden.shape[-1:])
            hidden = hidden + F.silu(normed @ layer["up"]) @ layer["down"]
        last = F.rms_norm(hidden[-1], hidden.shape[-1:])
        return int(torch.argmax((last @ self.head).float()))

    def _attention(self, number, layer, hidden, position, place, table) -> torch.Tensor:
        c = self.config
        end = int(position[-1]) + 1
        used = table[: -(-end // self.page_tokens)]
        seen = []
        for tensor, weight in enumerate(layer["cached"]):
            entries = (hidden @ weight).view(-1, *c.entry_shape)
            if c.kind == "llama" and tensor == 0:
                entries = _turned(entries, position)
            self.cache[tensor, number][place] = entries
            seen.append(self.cache[tensor, number][used].flatten(0, 1)[:end])
        if c.kind == "mla":
            latent = seen[0][:, 0]
            seen = [(latent @ w).view(end, c.heads, c.head_width) for w in layer["expand"]]
            seen[0] = _turned(seen[0], torch.arange(end, device=latent.device))
        group = c.heads // seen[0].shape[1]
        keys, values = (s.repeat_interleave(group, dim=1).transpose(0, 1) for s in seen)
        query = (hidden @ layer["query"]).view(-1, c.heads, c.head_width)
        query = _turned(query, position).transpose(0, 1)
        scores = (query @ keys.transpose(1, 2)).float() / c.head_width**0.5
        later = torch.arange(end, device=position.device)[None] > position[:, None]
        weights = scores.masked_fill(later, float("-inf")).softmax(-1).to(values.dtype)
        return (weights @ values).transpose(0, 1).flatten(1) @ layer["output"]


def _turned(heads: torch.Tensor, position: torch.Tensor) -> torch.Tensor:
    """Rotary position embedding of [token, head, width]."""
    half = heads.shape[-1] // 2
    steps = torch.arange(half, device=heads.device)
    angle = position[:, None].float() / 10000 ** (steps / half)
    cosine, sine = angle.cos()[:, None].to(heads.dtype), angle.sin()[:, None].to(heads.dtype)
    first, second = heads[..., :half], heads[..., half:]
    return torch.cat((first * cosine - second * sine, second * cosine + first * sine), dim=-1)
