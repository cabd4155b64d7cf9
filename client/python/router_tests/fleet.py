"""Servers that a router can find: registered by real agents, with an HTTP API that a test plays."""
import asyncio
import contextlib
import json
import re
import subprocess
import sys
import tempfile
import time

import aiohttp
from aiohttp import web

import baton
from client.python.tests import pairs
from tests.programs import program


class Api:
    """The API of one engine. Without a script it answers with one piece and ends."""

    def __init__(self, name: str):
        self.name = name
        self.bodies = []
        self.authorizations = []
        self.cancelled = 0
        self.script = self.answer
        self.address = ""

    async def start(self, stack: contextlib.AsyncExitStack):
        app = web.Application()
        app.router.add_post("/v1/completions", self._serve)
        runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=1)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.address = "%s:%d" % runner.addresses[0][:2]

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.bodies.append(body)
        self.authorizations.append(request.headers.get("Authorization"))
        try:
            return await self.script(request, body)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise

    async def answer(self, _request: web.Request, _body: dict) -> web.StreamResponse:
        return web.json_response({"choices": [{"text": "from " + self.name,
                                               "finish_reason": "length"}]})

    @staticmethod
    async def fail(_request: web.Request, _body: dict) -> web.StreamResponse:
        return web.json_response({"error": "out of order"}, status=500)

    @staticmethod
    async def hang(_request: web.Request, _body: dict) -> web.StreamResponse:
        await asyncio.Event().wait()


def stream(pieces, go_on: asyncio.Event | None = None, break_off=False):
    """A script that streams; after the first piece it waits for `go_on`."""
    async def script(request, _body):
        out = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await out.prepare(request)
        for number, piece in enumerate(pieces):
            if number == 1 and go_on is not None:
                await go_on.wait()
            await out.write(b"data: " + json.dumps(piece).encode() + b"\n\n")
        if break_off:
            request.transport.abort()
        return out
    return script


class Fleet:
    """A bootstrap service, one agent that hosts everything, servers by name, and a router."""

    def __init__(self, test):
        self._test = test
        self.stack = contextlib.AsyncExitStack()
        test.addAsyncCleanup(self.stack.aclose)
        folder = tempfile.TemporaryDirectory()
        test.addCleanup(folder.cleanup)
        self.bootstrap = program.start_bootstrap(test, folder.name)
        self._side = pairs.Side(test, self.bootstrap.address(), baton.Role.PREFILL)
        self._pool = baton.HostPool(pairs.POOL_BYTES)
        self._router_log = open(folder.name + "/router.log", "w+")
        test.addCleanup(self._router_log.close)

    async def add(self, role: baton.Role, name: str, engine="vllm", **labels) -> Api:
        api = Api(name)
        await api.start(self.stack)
        # An agent's engines attach in a thread: the loop serves meanwhile.
        await asyncio.to_thread(self._side.attach, self._pool.region(), server=name, role=role,
                                labels={"engine": engine, "http": api.address, **labels})
        return api

    async def start_router(self) -> str:
        """The address."""
        process = subprocess.Popen(
            [sys.executable, "-m", "baton.router", "--bootstrap=" + self.bootstrap.address(),
             "--listen=127.0.0.1:0"], stdout=self._router_log, stderr=self._router_log)
        self._test.addCleanup(process.wait)
        self._test.addCleanup(process.terminate)
        return (await eventually(lambda: re.search(r"serving at (\S+),", self.router_log()),
                                 "the router serves")).group(1)

    def router_log(self) -> str:
        with open(self._router_log.name, encoding="utf-8") as file:
            return file.read()

    async def session(self) -> aiohttp.ClientSession:
        return await self.stack.enter_async_context(aiohttp.ClientSession())


async def eventually(condition, what: str):
    """The first true value of condition(), which is asked until then."""
    ends = time.monotonic() + program.LIMIT_S
    while time.monotonic() < ends:
        if value := condition():
            return value
        await asyncio.sleep(0.01)  # Polls; nothing is timed.
    raise AssertionError("never: " + what)
