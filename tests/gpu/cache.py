"""A paged cache of K and V in GPU or host memory, and an engine that has it."""
import os
import uuid

import numpy as np

import baton
from tests.gpu.cuda import GpuMemory
from tests.programs import program

LAYERS, HEADS, HEAD_BYTES, PAGE_TOKENS = 4, 4, 64, 16
PAGE_BYTES = PAGE_TOKENS * HEADS * HEAD_BYTES
# More on a machine with GPUs.
PAGES = int(os.environ.get("BATON_GPU_PAGES", "96"))
VIEWS = 2 * LAYERS
SIZE = VIEWS * PAGES * PAGE_BYTES
CANARY = 0xC5


def content(seed: int) -> np.ndarray:
    """What a source has in its pages: [tensor and layer, page, byte]."""
    words = np.random.default_rng(seed).integers(0, 2**63, SIZE // 8, np.int64)
    return words.view(np.uint8).reshape(VIEWS, PAGES, PAGE_BYTES)


class Cache:
    """`place`: "host", "gpu0", "gpu1", or with "mapped0" memory of cuMemCreate on GPU 0."""

    def __init__(self, place: str):
        self.place = place
        if place == "host":
            self.pool = baton.HostPool(SIZE)
        else:
            self._memory = GpuMemory(int(place[-1]), SIZE, mapped=place.startswith("mapped"))
            self.pool = baton.export_cuda(self._memory.address, SIZE)

    def write(self, values: np.ndarray) -> None:
        if self.place == "host":
            self.pool.numpy()[:] = values.reshape(-1)
        else:
            self._memory.write(values)

    def read(self) -> np.ndarray:
        values = self.pool.numpy().copy() if self.place == "host" else self._memory.read()
        return values.reshape(VIEWS, PAGES, PAGE_BYTES)

    def attach(self, folder: str, role: baton.Role, server: str = "a") -> baton.Engine:
        """At the agent of that folder, as the server "prefill-a" or "decode-a"."""
        layers = list(range(LAYERS))
        tensors = [baton.TensorSpec(kind, layers, "bf16", HEAD_BYTES, heads=HEADS)
                   for kind in (baton.Kind.K, baton.Kind.V)]
        layout = [baton.Buffer(tensor, layer, PAGES, PAGE_BYTES, HEADS * HEAD_BYTES, HEAD_BYTES,
                               offset=(tensor * LAYERS + layer) * PAGES * PAGE_BYTES)
                  for tensor in range(2) for layer in layers]
        return baton.Engine(
            agent_socket=os.path.join(folder, "attach.sock"), launch_id=str(uuid.uuid4()),
            server="%s-%s" % (role.name.lower(), server), role=role,
            spec=baton.ServerSpec(stages=[layers], page_groups=[baton.PageGroup(PAGE_TOKENS)],
                                  tensors=tensors),
            layout=layout, regions=[self.pool.region()], model="small",
            attach_timeout=float(program.LIMIT_S))
