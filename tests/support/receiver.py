"""A receiver of webhooks: HTTPS on a loopback port under a name of its own, with an authority of its own.

`verified` is what a receiver does, written from the specification of Standard Webhooks and not from our code.
"""

import asyncio
import base64
import hashlib
import hmac
import ssl
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from shared.clock import machine_now
from shared.outbound import Outbound

HOST = "hooks.insurer.example"
TOLERANCE = 300
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
    return Outbound(secrets=secrets, forbidden=(), tls=_trusting(), resolve=_loopback)


@asynccontextmanager
async def open_receiver(*, name: str = HOST, serve: Serve | None = None) -> AsyncIterator[Receiver]:
    """Open a receiver for the length of a test, with a certificate for `name`; `serve` answers otherwise."""
    receiver = Receiver()
    server = await asyncio.start_server(serve or receiver.serve, "127.0.0.1", 0, ssl=_serving(name))
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


@cache
def _authority() -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key = ec.generate_private_key(ec.SECP256R1())
    return key, _certificate("Test authority", key, issuer=None)


@cache
def _trusting() -> ssl.SSLContext:
    _, certificate = _authority()
    pem = certificate.public_bytes(serialization.Encoding.PEM).decode()
    return ssl.create_default_context(cadata=pem)


def _serving(name: str) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _certificate(name, key, issuer=_authority())
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile(suffix=".pem") as file:
        file.write(private + certificate.public_bytes(serialization.Encoding.PEM))
        file.flush()
        context.load_cert_chain(file.name)
    return context


def _certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    *,
    issuer: tuple[ec.EllipticCurvePrivateKey, x509.Certificate] | None,
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    signer, of = (key, subject) if issuer is None else (issuer[0], issuer[1].subject)
    now = machine_now()
    building = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(of)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
    )
    if issuer is not None:
        building = building.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    return building.sign(signer, hashes.SHA256())
