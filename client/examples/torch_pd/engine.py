"""One engine: the model, its cache in memory that Baton's agent reaches, and the rooms.

A prefill engine computes a prompt chunk by chunk and sends each chunk as soon as the device is done
with it; a decode engine offers pages, waits until all has landed, and generates.
"""

from __future__ import annotations

import math
import os
import random
import time

import baton
import torch

from client.examples.torch_pd.model import Config, Model

PAGE_TOKENS, PAGES = 16, 512


def dtype_of(device: str) -> torch.dtype:
    return torch.bfloat16 if device.startswith("cuda") else torch.float32


def cache_shape(config: Config) -> tuple[int, ...]:
    return (config.cached_tensors, config.layers, PAGES, PAGE_TOKENS, *config.entry_shape)


class Engine:
    """Attached to the agent whose sockets are in `folder`."""

    def __init__(self, config: Config, device: str, role: baton.Role, folder: str) -> None:
        dtype = dtype_of(device)
        shape = cache_shape(config)
        size = math.prod(shape) * dtype.itemsize
        if device == "cpu":
            self.pool: baton.Pool = baton.HostPool(size)
            flat = self.pool.torch()
        else:
            # PyTorch's own memory; the cache is all of one allocation, or a part of it.
            torch.cuda.set_device(device)
            flat = torch.zeros(size, dtype=torch.uint8, device=device)
            self.pool = baton.export_cuda(flat.data_ptr(), size)
        self.model = Model(config, flat.view(dtype).view(shape))
        self._device = device
        # Another order on each side: page numbers mean nothing to the other.
        self._free = list(range(PAGES))
        random.Random(role).shuffle(self._free)
        self._tables: dict[int, list[int]] = {}
        self._engine = self._attach(config, dtype, role, folder)

    def _attach(self, config: Config, dtype, role: baton.Role, folder: str) -> baton.Engine:
        heads, width = config.entry_shape
        head_bytes = width * dtype.itemsize
        layers = list(range(config.layers))
        kinds = [baton.Kind.K, baton.Kind.V] if config.kind == "llama" else [baton.Kind.LATENT]
        page_bytes = PAGE_TOKENS * heads * head_bytes
        return baton.Engine(
            agent_socket=os.path.join(folder, "attach.sock"),
            server="prefill-a" if role == baton.Role.PREFILL else "decode-a",
            launch_id=str(os.getpid()),
            role=role,
            model=f"torch_pd-{config.kind}-{config.seed}",
            spec=baton.ServerSpec(
                stages=[layers],
                page_groups=[baton.PageGroup(PAGE_TOKENS)],
                tensors=[
                    baton.TensorSpec(kind, layers, str(dtype), head_bytes, heads=heads)
                    for kind in kinds
                ],
            ),
            layout=[
                baton.Buffer(
                    tensor, layer, PAGES, page_bytes, heads * head_bytes, head_bytes,
                    offset=(tensor * config.layers + layer) * PAGES * page_bytes,
                )
                for tensor in range(len(kinds))
                for layer in layers
            ],
            regions=[self.pool.region()],
            device_orders_writes=self.pool.device_orders_writes,
        )

    def close(self) -> None:
        self._engine.close()
        del self.model  # a HostPool's memory must not be used any more
        self.pool.close()

    def _allocate(self, tokens: int) -> list[int]:
        count = -(-tokens // PAGE_TOKENS)
        pages, self._free = self._free[:count], self._free[count:]
        return pages

    def prefill(self, room_id: int, prompt: list[int], chunk_tokens: int) -> int:
        """Computes a prompt and sends it; the likeliest next token."""
        pages = self._allocate(len(prompt))
        room = self._engine.open_send(room_id, len(prompt))
        first = -1
        for begin in range(0, len(prompt), chunk_tokens):
            end = min(begin + chunk_tokens, len(prompt))
            first = self.model.forward(prompt[begin:end], begin, pages)
            if self._device != "cpu":
                torch.cuda.synchronize()  # A chunk is sent when it is in the pages.
            last = end == len(prompt)
            of_chunk = pages[begin // PAGE_TOKENS : -(-end // PAGE_TOKENS)]
            room.send(begin, end, [of_chunk], last=last)
        finish(room)
        self._free += pages
        return first

    def receive(self, room_id: int, tokens: int, prefix_of: int | None, prefix: int) -> str:
        """Waits until tokens [prefix, tokens) of a prompt have landed behind the first `prefix`
        tokens of an earlier room; what was moved."""
        own = self._tables[prefix_of][: prefix // PAGE_TOKENS] if prefix else []
        # Room for what will be generated too; it is not offered.
        fresh = self._allocate(tokens - prefix + 256)
        offered = fresh[: -(-(tokens - prefix) // PAGE_TOKENS)]
        room = self._engine.open_receive(
            room_id, "prefill-a", tokens, pages=[offered], prefix_tokens=prefix
        )
        self._tables[room_id] = own + fresh
        began = time.monotonic()
        finish(room)
        return f"{tokens - prefix} tokens in {1e3 * (time.monotonic() - began):.1f} ms"

    def generate(self, room_id: int, tokens: int, first: int, steps: int) -> list[int]:
        """`steps` tokens behind a prompt of `tokens` that has landed, `first` the first of them."""
        return generate(self.model, self._tables[room_id], tokens, first, steps)


def finish(room: baton.Room) -> None:
    """Waits for the room's end; an engine's loop would do other work meanwhile."""
    while not ((status := room.poll()).ended and status.released):
        time.sleep(0)
    if status.phase != baton.Phase.DONE:
        raise RuntimeError(f"{room}: {room.cause()}")
    room.close()


def generate(model: Model, pages: list[int], tokens: int, first: int, steps: int) -> list[int]:
    said = [first]
    while len(said) < steps:
        said.append(model.forward(said[-1:], tokens + len(said) - 1, pages))
    return said
