"""An insurer's own system in the demo: it takes webhooks over HTTPS, verifies each, and counts what arrived.

It verifies as Standard Webhooks asks a receiver to, against its own clock, with the secret that it was given.
"""

import asyncio
import base64
import hashlib
import hmac
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from deploy.demo.authority import Authority
from shared.clinic import Webhook
from shared.clock import machine_now
from shared.outbound import Outbound, make_missing_secrets, read_secrets

_PAYER = "workplace-insurer"
_ID = "workplace-claims"
_HOST = "claims.workplace-insurer.example"
_TOLERANCE = 300


class ClaimsSystem:
    """A server on a free loopback port, inside the running event loop; its secret lies in `secrets`."""

    def __init__(self, secrets: Path) -> None:
        self.copies: Counter[str] = Counter()
        self._secrets = secrets
        self._authority = Authority()
        self._server: asyncio.Server | None = None
        make_missing_secrets(secrets, names=[_ID])
        self._secret, *_ = read_secrets(secrets, _ID)

    async def open(self) -> Webhook:
        """Start to listen, and give the line of clinic.yaml that registers it."""
        tls = self._authority.serving(_HOST)
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=tls)
        port = self._server.sockets[0].getsockname()[1]
        return Webhook(id=_ID, url=f"https://{_HOST}:{port}/lumbar", payer=_PAYER)

    @property
    def road(self) -> Outbound:
        """The way to it, on which its name is this machine."""

        async def here(_host: str, _port: int) -> list[str]:
            return ["127.0.0.1"]

        return Outbound(secrets=self._secrets, forbidden=(), tls=self._authority.trusting(), resolve=here)

    async def close(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        pairs = (line.partition(":") for line in head.split("\r\n")[1:])
        headers = {name.lower(): value.strip() for name, _, value in pairs}
        body = await reader.readexactly(int(headers["content-length"]))
        true = self._verified(headers, body)
        if true:
            self.copies[headers["webhook-id"]] += 1
        status = "204 No Content" if true else "401 Unauthorized"
        writer.write(f"HTTP/1.1 {status}\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    def _verified(self, headers: Mapping[str, str], body: bytes) -> bool:
        stamp = headers["webhook-timestamp"]
        if abs(machine_now().timestamp() - int(stamp)) > _TOLERANCE:
            return False
        signed = f"{headers['webhook-id']}.{stamp}.".encode() + body
        expected = "v1," + base64.b64encode(hmac.new(self._secret, signed, hashlib.sha256).digest()).decode()
        return any(hmac.compare_digest(expected, one) for one in headers["webhook-signature"].split())
