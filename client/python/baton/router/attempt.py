"""One attempt at a request: both legs at once."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp

from baton.router.legs import legs_of, url_of
from baton.router.picks import Pick

# What an engine puts where a reason to finish belongs when the hand-off failed.
_FAILED = ("error", "abort")


class LegFailed(Exception):
    """A leg failed before the client was told anything: another pair may do better."""

    def __init__(self, server: str, why: str) -> None:
        super().__init__(f"{server}: {why}")
        self.server = server


class Attempt:
    """Leaving the `async with` block ends both legs, and with them the requests at the engines."""

    def __init__(self, session: aiohttp.ClientSession, pick: Pick, path: str,
                 body: dict[str, Any], authorization: str | None = None) -> None:
        self._session, self._pick, self._path = session, pick, path
        self._headers = {"Authorization": authorization} if authorization else {}
        self._legs = legs_of(body, pick)
        self._streams = bool(body.get("stream"))
        self._stack = contextlib.AsyncExitStack()
        self._prefill: asyncio.Task | None = None
        self._answer: aiohttp.ClientResponse | None = None

    async def __aenter__(self) -> Attempt:
        self._prefill = asyncio.create_task(self._run_prefill())
        return self

    async def __aexit__(self, *_) -> None:
        self._prefill.cancel()
        with contextlib.suppress(asyncio.CancelledError, LegFailed):
            await self._prefill
        await self._stack.aclose()

    async def first(self) -> tuple[aiohttp.ClientResponse, bytes]:
        """The decode server's answer and its first bytes. Raises LegFailed."""
        decode = asyncio.create_task(self._begin_decode())
        try:
            await asyncio.wait({decode, self._prefill}, return_when=asyncio.FIRST_COMPLETED)
            if self._prefill.done():
                self._prefill.result()  # a prefill that failed ends the attempt
            return await decode
        finally:
            decode.cancel()
            with contextlib.suppress(asyncio.CancelledError, LegFailed):
                await decode

    async def rest(self) -> AsyncIterator[bytes]:
        """What follows the first bytes."""
        async for piece in self._answer.content.iter_any():
            yield piece

    async def _run_prefill(self) -> None:
        server = self._pick.prefill
        try:
            url = url_of(server, self._path)
            async with self._session.post(url, json=self._legs.prefill,
                                          headers=self._headers) as answer:
                text = await answer.text()
        except aiohttp.ClientError as error:
            raise LegFailed(server.name, str(error) or type(error).__name__) from error
        if answer.status >= 500:
            raise LegFailed(server.name, f"HTTP {answer.status}: {text[:200]}")
        # A request that the prefill refuses, the decode refuses too, in words for the client.

    async def _begin_decode(self) -> tuple[aiohttp.ClientResponse, bytes]:
        server = self._pick.decode
        try:
            post = self._session.post(url_of(server, self._path), json=self._legs.decode,
                                      headers=self._headers)
            self._answer = await self._stack.enter_async_context(post)
            if self._streams and self._answer.status < 400:
                data = await self._answer.content.readany()
            else:
                data = await self._answer.read()
        except aiohttp.ClientError as error:
            raise LegFailed(server.name, str(error) or type(error).__name__) from error
        if why := self._failure(data):
            raise LegFailed(server.name, why)
        return self._answer, data

    def _failure(self, data: bytes) -> str:
        """What the first bytes say of a failed hand-off; empty: nothing."""
        text = data.decode(errors="replace")
        if self._answer.status >= 500:
            return f"HTTP {self._answer.status}: {text[:200]}"
        if self._answer.status >= 400:
            return ""
        line = text.strip().split("\n")[0].removeprefix("data:").strip()
        try:
            said = json.loads(line)
        except ValueError:
            return ""
        if "error" in said:
            return str(said["error"])[:200]
        reasons = [choice.get("finish_reason") for choice in said.get("choices") or ()]
        return f"finished with {reasons}" if any(r in _FAILED for r in reasons) else ""
