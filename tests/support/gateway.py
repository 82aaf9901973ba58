"""A gateway for text messages: HTTP on a loopback port, which keeps what it takes and can be told to fail."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec


@dataclass(kw_only=True)
class Gateway:
    """What arrived and was taken; `answers` are given first, one for each request, then 202."""

    url: str = ""
    taken: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        while head := await _head(reader):
            lines = head.strip().split("\r\n")[1:]
            headers = {
                name.lower(): value.strip() for name, _, value in (one.partition(":") for one in lines)
            }
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            self.keys.append(headers["idempotency-key"])
            answer = self.answers.pop(0) if self.answers else "202 Accepted"
            if answer == "gone":
                break
            if answer.startswith("2"):
                self.taken.append(msgspec.json.decode(body))
            writer.write(f"HTTP/1.1 {answer}\r\nContent-Length: 0\r\n\r\n".encode())
            await writer.drain()
        writer.close()


async def _head(reader: asyncio.StreamReader) -> str:
    try:
        return (await reader.readuntil(b"\r\n\r\n")).decode()
    except asyncio.IncompleteReadError:
        return ""


@asynccontextmanager
async def open_gateway() -> AsyncIterator[Gateway]:
    """Open a gateway for the length of a test."""
    gateway = Gateway()
    server = await asyncio.start_server(gateway.serve, "127.0.0.1", 0)
    gateway.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/texts"
    try:
        yield gateway
    finally:
        server.close()
