"""A receiver of webhooks: HTTPS on a loopback port under a name of its own, with an authority of its own.

`verified` is what a receiver does, written from the specification of Standard Webhooks and not from our code.
"""

import asyncio
import base64
import hashlib
import hmac
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from deploy.demo.authority import Authority
from shared.clock import machine_now
from shared.outbound import Outbound

HOST = "hooks.insurer.example"
TOLERANCE = 300
_AUTHORITY = Authority()
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True, kw_only=True)
class Got:
    """One POST that arrived."""

    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(kw_only=True)
class Receiver:
    """What arrived; `answers` are given one for each request (status, or status and more lines), then 200."""

    port: int = 0
    got: list[Got] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)

    @property
    def netloc(self) -> str:
        return f"{HOST}:{self.port}"

    @property
    def url(self) -> str:
        return f"https://{self.netloc}/lumbar"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.strip().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self.got.append(Got(path=first.split()[1], headers=headers, body=body))
        answer = self.answers.pop(0) if self.answers else "200 OK"
        writer.write(f"HTTP/1.1 {answer}\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno".encode())
        await writer.drain()
        writer.close()


def outbound_to_loopback(secrets: Path) -> Outbound:
    """Give a way out on which every name is this machine and no network is forbidden."""
    return Outbound(secrets=secrets, forbidden=(), tls=_AUTHORITY.trusting(), resolve=_loopback)


@asynccontextmanager
async def open_receiver(*, name: str = HOST, serve: Serve | None = None) -> AsyncIterator[Receiver]:
    """Open a receiver for the length of a test, with a certificate for `name`; `serve` answers otherwise."""
    receiver = Receiver()
    server = await asyncio.start_server(serve or receiver.serve, "127.0.0.1", 0, ssl=_AUTHORITY.serving(name))
    receiver.port = server.sockets[0].getsockname()[1]
    async with server:
        yield receiver


def verified(secret: str, got: Got) -> bool:
    """Verify a webhook as Standard Webhooks asks a receiver to, against its own clock."""
    stamp = got.headers["webhook-timestamp"]
    if abs(machine_now().timestamp() - int(stamp)) > TOLERANCE:
        return False
    signed = f"{got.headers['webhook-id']}.{stamp}.".encode() + got.body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    expected = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return any(hmac.compare_digest(expected, one) for one in got.headers["webhook-signature"].split(" "))


async def _loopback(_host: str, _port: int) -> Sequence[str]:
    return ["127.0.0.1"]
