#!/usr/bin/python3
"""A router in little, in Python, on stubs that protoc made of proto/baton/v1: reads a model's name
from each line of standard input, and answers with where the request goes.

    PYTHONPATH=STUBS router_example.py --bootstrap=10.0.0.5:7411

It does what the C++ RouterClient does in the simplest way: one watch for the process, a table in
memory, the less loaded of two drawn at random. Which servers fit it asks the service, once a pair.
"""
import argparse
import random
import secrets
import sys
import threading
import time

import grpc

from baton.v1 import bootstrap_pb2_grpc
from baton.v1 import registry_pb2
from baton.v1 import types_pb2

# Every call has a deadline.
CALL_SECONDS = 2.0
PICK_SECONDS = 5.0
# A service that says nothing for so long, not even a bookmark, is asked anew.
SILENCE_SECONDS = 20.0
BACKOFF_SECONDS = (0.05, 2.0)
READY = registry_pb2.SERVER_STATE_READY


class Table:
    """All servers, kept current by one watch. Thread-safe."""

    def __init__(self, stub):
        self._stub = stub
        self._changed = threading.Condition()
        self._servers = {}
        self._revision = None
        threading.Thread(target=self._watch_for_ever, daemon=True).start()

    def ready(self, model, role):
        """Servers that take new rooms; call with the lock of `changed` held."""
        return [s for s in self._servers.values()
                if s.state == READY and s.role == role and s.model == model]

    @property
    def changed(self):
        return self._changed

    def _watch_for_ever(self):
        delay = BACKOFF_SECONDS[0]
        while True:
            try:
                self._watch()
                delay = BACKOFF_SECONDS[0]
            except grpc.RpcError as error:
                print("watch ended: %s" % error.details(), file=sys.stderr)
            # Jittered, so that many routers do not come back together.
            time.sleep(delay * random.uniform(0.5, 1))
            delay = min(BACKOFF_SECONDS[1], delay * 2)

    def _watch(self):
        request = registry_pb2.WatchRequest()
        if self._revision:
            request.resume_after.CopyFrom(self._revision)
        call = self._stub.Watch(request)
        quiet = threading.Timer(SILENCE_SECONDS, call.cancel)
        quiet.start()
        # Servers that a new snapshot does not list are gone; None within deltas.
        listed = None if self._revision else set()
        try:
            for message in call:
                quiet.cancel()
                quiet = threading.Timer(SILENCE_SECONDS, call.cancel)
                quiet.start()
                with self._changed:
                    for event in message.events:
                        listed = self._apply(event, listed)
                    if listed is None and message.HasField("revision"):
                        self._revision = message.revision
                    self._changed.notify_all()
                if self._revision is None and listed is None:
                    return
        finally:
            quiet.cancel()

    def _apply(self, event, listed):
        kind = event.WhichOneof("event")
        if kind == "server":
            self._servers[event.server.name] = event.server
            if listed is not None:
                listed.add(event.server.name)
        elif kind == "delta":
            self._apply_delta(event.delta)
        elif kind == "removed":
            self._servers.pop(event.removed, None)
        elif kind == "snapshot_done":
            # A service that has just restarted does not know all servers yet; this example then
            # forgets them for a moment, where the C++ client keeps them until it has settled.
            self._servers = {n: s for n, s in self._servers.items() if n in listed}
            listed = None
        elif kind == "compacted":
            self._revision = None
        return listed

    def _apply_delta(self, delta):
        server = self._servers.get(delta.name)
        if server is None or server.incarnation != delta.incarnation:
            self._revision = None  # begin with a snapshot
            return
        server.state = delta.state or server.state
        if delta.HasField("load"):
            server.load.CopyFrom(delta.load)
        gone = {_key(coord) for coord in delta.removed}
        gone |= {_key(rank.coord) for rank in delta.upserted}
        ranks = [rank for rank in server.ranks if _key(rank.coord) not in gone]
        ranks += delta.upserted
        del server.ranks[:]
        server.ranks.extend(sorted(ranks, key=lambda rank: _key(rank.coord)))


class Router:
    def __init__(self, stub):
        self._stub = stub
        self._table = Table(stub)
        self._fits = {}  # by both names and incarnations
        # Room names: one nonce for each start of a router, an id that never repeats within it.
        self._nonce = secrets.randbits(64) or 1
        self._next_id = secrets.randbits(63)
        self._turn = 0

    def pick(self, model):
        """(room id, nonce, prefill server, its dp rank, decode server, its dp rank)."""
        deadline = time.monotonic() + PICK_SECONDS
        while True:
            with self._table.changed:
                prefills = self._table.ready(model, types_pb2.ROLE_PREFILL)
                decodes = self._table.ready(model, types_pb2.ROLE_DECODE)
            random.shuffle(prefills)
            for prefill in sorted(prefills[:2], key=_load) + prefills[2:]:
                partners = [d for d in decodes if self._do_fit(prefill, d)]
                if partners:
                    drawn = random.sample(partners, min(2, len(partners)))
                    return self._route(prefill, min(drawn, key=_load))
            with self._table.changed:
                if not self._table.changed.wait(max(0, deadline - time.monotonic())):
                    raise LookupError("no ready prefill server of %s fits a ready decode server: "
                                      "%d and %d are ready" % (model, len(prefills), len(decodes)))

    def _do_fit(self, prefill, decode):
        key = (prefill.name, prefill.incarnation, decode.name, decode.incarnation)
        if key not in self._fits:
            request = registry_pb2.ResolveRouteRequest(prefill=prefill.name, decode=decode.name)
            answer = self._stub.ResolveRoute(request, timeout=CALL_SECONDS)
            self._fits[key] = not answer.incompatible
        return self._fits[key]

    def _route(self, prefill, decode):
        self._turn += 1
        # An odd step visits every id; 63 bits, for engines that keep ids in signed numbers.
        self._next_id = (self._next_id + 0x9e3779b97f4a7c15) % 2**63
        return (self._next_id, self._nonce, prefill.name, self._turn % prefill.spec.sizes.dp,
                decode.name, self._turn % decode.spec.sizes.dp)


def _key(coord):
    return (coord.dp, coord.pp, coord.cp, coord.tp)


def _load(server):
    return server.load.rooms / max(1, server.spec.sizes.dp)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bootstrap", default="127.0.0.1:7411")
    options = parser.parse_args()
    # Keepalives find a service that vanished; the example has no other limit on a watch.
    channel = grpc.insecure_channel(options.bootstrap, [("grpc.keepalive_time_ms", 10000),
                                                        ("grpc.keepalive_timeout_ms", 5000)])
    router = Router(bootstrap_pb2_grpc.BootstrapStub(channel))
    for line in sys.stdin:
        try:
            answer = " ".join(str(word) for word in router.pick(line.strip()))
        except (LookupError, grpc.RpcError) as error:
            answer = "error " + str(error).replace("\n", " ")
        print(answer, flush=True)


if __name__ == "__main__":
    main()
