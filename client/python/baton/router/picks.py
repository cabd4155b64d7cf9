"""Which two servers a request goes to, and the name of its room."""

from __future__ import annotations

import asyncio
import random
import secrets
from dataclasses import dataclass, field

import grpc

from baton.router.table import Table
from baton.v1 import bootstrap_pb2_grpc, registry_pb2, types_pb2

CALL_SECONDS = 2.0


class NothingFits(Exception):
    """No pair of ready servers can serve the request; says what was missing."""


@dataclass(frozen=True)
class Pick:
    """One attempt at a request."""

    room: int
    nonce: int
    prefill: registry_pb2.ServerRecord
    prefill_dp: int
    decode: registry_pb2.ServerRecord


@dataclass
class Picker:
    """The less loaded of two drawn at random, of the servers that fit each other."""

    table: Table
    stub: bootstrap_pb2_grpc.BootstrapStub
    wait_seconds: float = 5.0
    _fits: dict[tuple, bool] = field(default_factory=dict)
    _under_way: dict[str, int] = field(default_factory=dict)
    _turn: int = 0
    # Rooms: one nonce for each start of a router, an id that never repeats within it.
    _nonce: int = field(default_factory=lambda: secrets.randbits(64) or 1)
    _next: int = field(default_factory=lambda: secrets.randbits(63))

    async def pick(self, model: str, avoid: set[str]) -> Pick:
        """Servers in `avoid` are taken only when there are no others. Raises NothingFits."""
        ends = asyncio.get_running_loop().time() + self.wait_seconds
        while True:
            changed = self.table.changed
            prefills = list(self.table.ready(model, types_pb2.ROLE_PREFILL))
            decodes = list(self.table.ready(model, types_pb2.ROLE_DECODE))
            for prefill in self._order(prefills, avoid):
                for decode in self._order(decodes, avoid):
                    if await self._do_fit(prefill, decode):
                        return self._name(prefill, decode)
            left = ends - asyncio.get_running_loop().time()
            try:
                await asyncio.wait_for(changed.wait(), max(0.0, left))
            except asyncio.TimeoutError:
                raise NothingFits(self._why(model, prefills, decodes)) from None

    def begin(self, pick: Pick) -> None:
        """The pick's servers have one request more."""
        for server in (pick.prefill, pick.decode):
            self._under_way[server.name] = self._under_way.get(server.name, 0) + 1

    def end(self, pick: Pick) -> None:
        """The counterpart of `begin`."""
        for server in (pick.prefill, pick.decode):
            self._under_way[server.name] -= 1

    def _order(self, servers: list, avoid: set[str]) -> list:
        random.shuffle(servers)
        first = sorted(servers[:2], key=lambda s: self._under_way.get(s.name, 0))
        return sorted(first + servers[2:], key=lambda s: s.name in avoid)

    async def _do_fit(self, prefill, decode) -> bool:
        if prefill.labels.get("engine") != decode.labels.get("engine"):
            return False
        key = (prefill.name, prefill.incarnation, decode.name, decode.incarnation)
        if key not in self._fits:
            request = registry_pb2.ResolveRouteRequest(prefill=prefill.name, decode=decode.name)
            try:
                answer = await self.stub.ResolveRoute(request, timeout=CALL_SECONDS)
            except grpc.RpcError:
                return True  # the agents check it again
            self._fits[key] = not answer.incompatible
        return self._fits[key]

    def _name(self, prefill, decode) -> Pick:
        self._turn += 1
        # An odd step visits every id; 63 bits, for engines that keep ids in signed numbers.
        self._next = (self._next + 0x9E3779B97F4A7C15) % 2**63
        dp = self._turn % max(1, prefill.spec.sizes.dp)
        return Pick(self._next, self._nonce, prefill, dp, decode)

    def _why(self, model: str, prefills: list, decodes: list) -> str:
        if self.table.problem:
            return self.table.problem
        if model and model not in self.table.models():
            known = ", ".join(self.table.models()) or "none"
            return f"no server has the model {model!r}; there are: {known}"
        if not prefills or not decodes:
            return (f"{len(prefills)} prefill and {len(decodes)} decode servers are ready; both "
                    "kinds are needed")
        return "no ready prefill server fits a ready decode server: see batonctl route explain"
