"""An OpenID issuer on a loopback port that says what a test wants, written from the specification."""

import asyncio
import contextlib
import hashlib
import json
from base64 import b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from shared.clock import machine_now

CLIENT, SECRET = "lumbar", "hush:hush"


@cache
def key() -> rsa.RSAPrivateKey:
    """Make the issuer's key, once a process."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@cache
def key_of_somebody() -> rsa.RSAPrivateKey:
    """Make a key that the issuer does not have."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass(kw_only=True)
class OidcIssuer:
    """What it answers; `claims` change the id token (None leaves one out), `metadata` what it says of itself.

    `signs_with` and `algorithm` are how the id token is signed; `status` is that of the token endpoint.
    """

    port: int = 0
    subject: str = "5f2c"
    claims: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    signs_with: Any = None
    algorithm: str = "RS256"
    status: int = 200
    asked: list[dict[str, str]] = field(default_factory=list)
    exchanged: list[tuple[dict[str, str], str]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def authorize(self, location: str) -> dict[str, str]:
        """Do what a browser's visit does: keep what was asked, and return what goes back to the redirect."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
        self.asked.append(asked)
        return {"code": f"code-{len(self.asked) - 1}", "state": asked["state"]}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.strip().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        status, told = self._answer(first.split()[1], body.decode(), headers.get("authorization", ""))
        content = json.dumps(told).encode()
        writer.write(
            f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n"
            "Connection: close\r\n\r\n".encode()
            + content
        )
        await writer.drain()
        writer.close()

    def _answer(self, path: str, body: str, authorization: str) -> tuple[int, Any]:
        if path == "/.well-known/openid-configuration":
            return 200, self._configuration() | self.metadata
        if path == "/keys":
            jwk = RSAAlgorithm.to_jwk(key().public_key(), as_dict=True)
            return 200, {"keys": ["no key", {"kty": "oct", "k": "aGk", "kid": "b"}, jwk | {"kid": "a"}]}
        if path == "/token":
            return self._token({name: values[0] for name, values in parse_qs(body).items()}, authorization)
        return 404, {}

    def _configuration(self) -> dict[str, Any]:
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
        }

    def _token(self, form: dict[str, str], authorization: str) -> tuple[int, Any]:
        self.exchanged.append((form, authorization))
        asked = self.asked[int(form["code"].removeprefix("code-"))]
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        proved = urlsafe_b64encode(digest).rstrip(b"=").decode() == asked["code_challenge"]
        if self.status != 200 or not proved or form["redirect_uri"] != asked["redirect_uri"]:
            return self.status if self.status != 200 else 400, {"error": "invalid_grant"}
        now = machine_now()
        told = {
            "iss": self.url,
            "sub": self.subject,
            "aud": CLIENT,
            "iat": now,
            "exp": now + timedelta(minutes=5),
            "nonce": asked["nonce"],
            "name": "Maja Lindqvist",
            **self.claims,
        }
        present = {name: value for name, value in told.items() if value is not None}
        signed = jwt.encode(present, self.signs_with or key(), algorithm=self.algorithm, headers={"kid": "a"})
        return 200, {"access_token": "x", "token_type": "Bearer", "id_token": signed}


def client_of(authorization: str) -> tuple[str, str]:
    """Read who a client says it is by HTTP Basic, as RFC 6749 has it encoded."""
    client, _, secret = b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
    return unquote(client), unquote(secret)


@asynccontextmanager
async def running_oidc_issuer() -> AsyncIterator[OidcIssuer]:
    """Run an issuer for the duration of the block."""
    issuer = OidcIssuer()
    server = await asyncio.start_server(issuer.serve, "127.0.0.1", 0)
    issuer.port = server.sockets[0].getsockname()[1]
    try:
        yield issuer
    finally:
        server.close()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(server.wait_closed(), 5)
