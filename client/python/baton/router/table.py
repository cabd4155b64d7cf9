"""All servers of the registry, kept current by one watch."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Iterator

import grpc

from baton.v1 import bootstrap_pb2_grpc, registry_pb2

# A service that says nothing for so long, not even a bookmark, is asked anew.
SILENCE_SECONDS = 20.0
BACKOFF_SECONDS = (0.05, 2.0)


def _key(coord) -> tuple[int, int, int, int]:
    return coord.dp, coord.pp, coord.cp, coord.tp


class Table:
    """For one event loop. `changed` is set anew at every change."""

    def __init__(self, stub: bootstrap_pb2_grpc.BootstrapStub) -> None:
        self._stub = stub
        self._servers: dict[str, registry_pb2.ServerRecord] = {}
        self._revision: registry_pb2.Revision | None = None
        # Names in the snapshot that is under way; None between snapshots.
        self._listed: set[str] | None = None
        self.changed = asyncio.Event()
        self.problem = "the registry has not answered yet"

    def ready(self, model: str, role: int) -> Iterator[registry_pb2.ServerRecord]:
        """Servers that take new rooms."""
        for server in self._servers.values():
            is_ready = server.state == registry_pb2.SERVER_STATE_READY
            if is_ready and server.role == role and model in ("", server.model):
                yield server

    def models(self) -> list[str]:
        """Of all servers."""
        return sorted({server.model for server in self._servers.values()})

    async def run(self) -> None:
        """Watches for ever."""
        delay = BACKOFF_SECONDS[0]
        while True:
            try:
                await self._watch()
                self.problem, delay = "", BACKOFF_SECONDS[0]
            except (grpc.RpcError, asyncio.TimeoutError) as error:
                words = error.details() if isinstance(error, grpc.RpcError) else "it is silent"
                self.problem = f"the registry: {words}"
            # Jittered, so that many routers do not come back together. Servers are kept meanwhile.
            await asyncio.sleep(delay * random.uniform(0.5, 1))
            delay = min(BACKOFF_SECONDS[1], delay * 2)

    async def _watch(self) -> None:
        request = registry_pb2.WatchRequest()
        if self._revision:
            request.resume_after.CopyFrom(self._revision)
        self._listed = None if self._revision else set()
        call = self._stub.Watch(request)
        with contextlib.closing(_Cancelled(call)):
            while True:
                message = await asyncio.wait_for(call.read(), SILENCE_SECONDS)
                if message is grpc.aio.EOF:
                    return
                for event in message.events:
                    if not self._apply(event):
                        self._revision = None  # begin with a snapshot
                        return
                if self._listed is None and message.HasField("revision"):
                    self._revision = message.revision
                self.problem = ""
                self.changed.set()
                self.changed = asyncio.Event()

    def _apply(self, event: registry_pb2.WatchEvent) -> bool:
        """False when what follows cannot be understood without a new snapshot."""
        kind = event.WhichOneof("event")
        if kind == "server":
            self._servers[event.server.name] = event.server
            if self._listed is not None:
                self._listed.add(event.server.name)
        elif kind == "delta":
            return self._apply_delta(event.delta)
        elif kind == "removed":
            self._servers.pop(event.removed, None)
        elif kind == "snapshot_done" and self._listed is not None:
            self._servers = {n: s for n, s in self._servers.items() if n in self._listed}
            self._listed = None
        return kind != "compacted"

    def _apply_delta(self, delta: registry_pb2.ServerDelta) -> bool:
        server = self._servers.get(delta.name)
        if server is None or server.incarnation != delta.incarnation:
            return False
        server.state = delta.state or server.state
        if delta.HasField("load"):
            server.load.CopyFrom(delta.load)
        gone = {_key(c) for c in delta.removed} | {_key(r.coord) for r in delta.upserted}
        ranks = [r for r in server.ranks if _key(r.coord) not in gone] + list(delta.upserted)
        del server.ranks[:]
        server.ranks.extend(sorted(ranks, key=lambda r: _key(r.coord)))
        return True


class _Cancelled:
    def __init__(self, call) -> None:
        self._call = call

    def close(self) -> None:
        self._call.cancel()
