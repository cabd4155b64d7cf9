"""A prefill and a decode rank of the smallest cache, each with a real agent: for the tests here."""
import os
import tempfile
import uuid

import numpy as np

import baton
from tests.programs import program

PAGES = 64
PAGE_TOKENS = 16
HEADS = 2
HEAD_BYTES = 32
PAGE_BYTES = PAGE_TOKENS * HEADS * HEAD_BYTES
POOL_BYTES = 2 * PAGES * PAGE_BYTES


def spec(**changes) -> baton.ServerSpec:
    """One layer with K and V, two heads, 16 tokens a page."""
    fields = {"stages": [[0]], "page_groups": [baton.PageGroup(PAGE_TOKENS)],
              "tensors": [tensor(baton.Kind.K), tensor(baton.Kind.V)]}
    return baton.ServerSpec(**{**fields, **changes})


def tensor(kind: baton.Kind) -> baton.TensorSpec:
    return baton.TensorSpec(kind, [0], "bf16", HEAD_BYTES, heads=HEADS, tp_sharded=True)


def layout(offset: int = 0) -> list:
    """K in the first half of the pool, V in the second."""
    return [baton.Buffer(t, 0, PAGES, PAGE_BYTES, HEADS * HEAD_BYTES, HEAD_BYTES,
                         offset=offset + t * PAGES * PAGE_BYTES) for t in (0, 1)]


class Side:
    """An agent, and what an engine of its pod needs to attach."""

    def __init__(self, test, bootstrap: str, role: baton.Role, **flags: str):
        self._test = test
        self.role = role
        self.server = "prefill-a" if role == baton.Role.PREFILL else "decode-a"
        folder = tempfile.TemporaryDirectory()
        test.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.flags = {"bootstrap": bootstrap, "transport": "tcp", **flags}
        self.agent = program.start_agent(test, self.folder, **self.flags)

    def restart_agent(self):
        self.agent.process.kill()
        self.agent.process.wait()
        self.agent = program.start_agent(self._test, self.folder, **self.flags)

    def attach(self, region: baton.Region, offset: int = 0, **changes) -> baton.Engine:
        options = {"agent_socket": os.path.join(self.folder, "attach.sock"),
                   "server": self.server, "launch_id": str(uuid.uuid4()), "role": self.role,
                   "spec": spec(), "layout": layout(offset), "regions": [region],
                   "model": "small", "attach_timeout": float(program.LIMIT_S)}
        engine = baton.Engine(**{**options, **changes})
        self._test.addCleanup(engine.close)
        return engine


class Pair:
    """Both sides attached, each with a pool; the source's full of random bytes."""

    def __init__(self, test, source: dict | None = None, **flags: str):
        folder = tempfile.TemporaryDirectory()
        test.addCleanup(folder.cleanup)
        self.bootstrap = program.start_bootstrap(test, folder.name)
        address = self.bootstrap.address()
        self.source_side = Side(test, address, baton.Role.PREFILL, **flags)
        self.target_side = Side(test, address, baton.Role.DECODE, **flags)
        self.source_pool = baton.HostPool(POOL_BYTES)
        self.target_pool = baton.HostPool(POOL_BYTES)
        self.source_pool.numpy()[:] = np.random.default_rng(1).integers(0, 256, POOL_BYTES)
        self.source = self.source_side.attach(self.source_pool.region(), **(source or {}))
        self.target = self.target_side.attach(self.target_pool.region())

    def landed_equal(self, source_pages, target_pages) -> bool:
        """Whether the target's pages hold the source's bytes, K and V."""
        source = self.source_pool.numpy().reshape(2, PAGES, PAGE_BYTES)
        target = self.target_pool.numpy().reshape(2, PAGES, PAGE_BYTES)
        return np.array_equal(source[:, source_pages], target[:, target_pages])


def wait_ended(room: baton.Room) -> baton.RoomStatus:
    """The status of a room that has ended and is released."""
    def ended():
        status = room.poll()
        return status if status.ended and status.released else None
    return program.eventually(ended, "%r ends" % room)
