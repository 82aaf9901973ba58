"""Answers on their way back: held until they are whole, or passed on as they come."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import httpx
from starlette.types import Receive, Send

from deploy.gateway.replicas import Unanswered

_HELD_AT_MOST = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """An answer: what of its body was read, and the rest of it, None where that was all."""

    response: httpx.Response
    begun: bytes = field(repr=False)
    rest: AsyncIterator[bytes] | None = field(repr=False, default=None)


async def hold(response: httpx.Response) -> Held:
    """Read an answer whole, a stream not at all; raises Unanswered where the connection ended too early."""
    parts = response.aiter_raw()
    if response.headers.get("content-type", "").startswith("text/event-stream"):
        return Held(response=response, begun=b"", rest=parts)
    chunks: list[bytes] = []
    size = 0
    try:
        async for chunk in parts:
            chunks.append(chunk)
            size += len(chunk)
            if size > _HELD_AT_MOST:
                return Held(response=response, begun=b"".join(chunks), rest=parts)
    except httpx.TransportError as error:
        raise Unanswered from error
    await response.aclose()
    return Held(response=response, begun=b"".join(chunks))


async def pass_stream(held: Held, receive: Receive, send: Send, *, ending: asyncio.Event) -> None:
    """Pass a body on as it comes, until it ends, the caller goes, or the gateway is asked to stop."""
    passing = asyncio.create_task(_pass(held, send))
    others = [asyncio.create_task(_gone(receive)), asyncio.create_task(ending.wait())]
    try:
        await asyncio.wait([passing, *others], return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (passing, *others):
            task.cancel()
        results = await asyncio.gather(passing, *others, return_exceptions=True)
        await held.response.aclose()
    if not isinstance(results[0], httpx.TransportError) or "content-length" not in held.response.headers:
        await send({"type": "http.response.body", "body": b""})


async def _pass(held: Held, send: Send) -> None:
    if held.begun:
        await send({"type": "http.response.body", "body": held.begun, "more_body": True})
    async for chunk in held.rest or ():  # type: ignore[union-attr]
        await send({"type": "http.response.body", "body": chunk, "more_body": True})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
