"""The HTTP side: takes a request, tries pairs of servers, passes the answer through."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from typing import Any

import aiohttp
from aiohttp import web

from baton.router.attempt import Attempt, LegFailed
from baton.router.picks import NothingFits, Picker

logger = logging.getLogger("baton.router")

PATHS = ("/v1/completions", "/v1/chat/completions")
# One more than the pairs that may fail under one request.
ATTEMPTS = 3
BODY_BYTES = 64 << 20


def refusal(status: int, words: str) -> web.Response:
    """An error as OpenAI's clients read it."""
    kind = "invalid_request_error" if status < 500 else "server_error"
    return web.json_response({"error": {"message": words, "type": kind, "code": status}},
                             status=status)


class Proxy:
    """Handlers of an aiohttp application."""

    def __init__(self, picker: Picker, session: aiohttp.ClientSession) -> None:
        self._picker, self._session = picker, session

    def application(self) -> web.Application:
        """With all routes."""
        app = web.Application(client_max_size=BODY_BYTES)
        app.router.add_get("/health", self._health)
        app.router.add_get("/v1/models", self._models)
        for path in PATHS:
            app.router.add_post(path, self._complete)
        return app

    async def _health(self, _request: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def _models(self, _request: web.Request) -> web.Response:
        models = [{"id": m, "object": "model"} for m in self._picker.table.models()]
        return web.json_response({"object": "list", "data": models})

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        try:
            body = await request.json()
        except ValueError as error:
            return refusal(400, f"the body is no JSON: {error}")
        if not isinstance(body, dict) or not isinstance(body.get("model", ""), str):
            return refusal(400, "the body must be an object with a model's name")
        return await self._serve(request, body)

    async def _serve(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        avoid: set[str] = set()
        failed = []
        for _ in range(ATTEMPTS):
            try:
                pick = await self._picker.pick(body.get("model", ""), avoid)
            except NothingFits as error:
                return refusal(503, "; then ".join([*failed, str(error)]))
            self._picker.begin(pick)
            try:
                async with Attempt(self._session, pick, request.path, body,
                                   request.headers.get("Authorization")) as attempt:
                    answer, data = await attempt.first()
                    return await self._pass(request, attempt, answer, data)
            except LegFailed as error:
                logger.warning("room %d: %s -> %s: %s", pick.room, pick.prefill.name,
                               pick.decode.name, error)
                failed.append(str(error))
                avoid.add(error.server)
            except KeyError as error:
                return refusal(503, f"{pick.prefill.name} or {pick.decode.name} lacks the label "
                                    f"{error}: the engine's adapter sets it")
            finally:
                self._picker.end(pick)
        return refusal(502, "; then ".join(failed))

    async def _pass(self, request: web.Request, attempt: Attempt, answer: aiohttp.ClientResponse,
                    data: bytes) -> web.StreamResponse:
        kind = answer.headers.get("Content-Type", "application/json")
        out = web.StreamResponse(status=answer.status, headers={"Content-Type": kind})
        await out.prepare(request)
        # A client that went away ends both legs: the block around us is left.
        with contextlib.suppress(ConnectionResetError):
            await out.write(data)
            try:
                async for piece in attempt.rest():
                    await out.write(piece)
            except (aiohttp.ClientError, asyncio.TimeoutError) as error:
                # The client has had a part of it: an error in the stream is all that is left.
                words = {"error": {"message": f"the decode server: {error}",
                                   "type": "server_error", "code": 502}}
                await out.write(b"data: " + json.dumps(words).encode() + b"\n\n")
            await out.write_eof()
        return out
