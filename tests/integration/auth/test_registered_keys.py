"""Clients that registered their own keys: these count and no other, wherever they are kept."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from starlette.applications import Starlette
from structlog.testing import capture_logs

from shared.auth import jwks
from shared.auth.assertion import client_assertion, token_request
from shared.auth.endpoints import create_issuer_app
from shared.auth.issuer import Issuer
from shared.auth.keys import SigningKey, load_client_key, load_or_make_keys
from shared.auth.tables import METADATA
from shared.clinic import Clinic
from shared.outbound import Outbound
from tests.conftest import MakeDatabase
from tests.support.context import example_clinic
from tests.support.issuer import BASE, TOKEN_URL
from tests.support.receiver import HOST, open_receiver, outbound_to_loopback

CLIENT = "second-practice"


def new_key() -> SigningKey:
    return SigningKey.of(ec.generate_private_key(ec.SECP384R1()))


@dataclass
class KeyHost:
    """A client's own host, which tells its keys; `answer` is told instead where it is given."""

    keys: list[SigningKey] = field(default_factory=lambda: [new_key()])
    answer: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    asked: int = 0
    port: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        self.asked += 1
        body = self.answer or json.dumps({"keys": [dict(key.jwk) for key in self.keys]}).encode()
        more = "".join(f"{name}: {value}\r\n" for name, value in self.headers.items())
        status = "200 OK" if "Location" not in self.headers else "302 Found"
        head = f"HTTP/1.1 {status}\r\n{more}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()
        writer.close()

    @property
    def url(self) -> str:
        return f"https://{HOST}:{self.port}/jwks"


@pytest.fixture
async def host() -> AsyncIterator[KeyHost]:
    host = KeyHost()
    async with open_receiver(serve=host.serve) as opened:
        host.port = opened.port
        yield host


Ask = Callable[[SigningKey], Any]


@asynccontextmanager
async def issuer_of(
    make_database: MakeDatabase, folder: Path, *, outbound: Outbound | None = None, **registered: Any
) -> AsyncIterator[Ask]:
    """Open an issuer whose second practice has registered this; asks for its token with a key."""
    clinic = registering(**registered)
    keys = load_or_make_keys(folder, clients=clinic.clients_without_keys)
    database = await make_database(METADATA, name="identity")
    way = outbound or outbound_to_loopback(folder)
    issuer = Issuer(clinic, keys=keys, database=database, base_url=BASE, outbound=way)
    transport = httpx.ASGITransport(app=Starlette(routes=create_issuer_app(issuer)))
    async with httpx.AsyncClient(transport=transport, base_url=BASE) as http:

        async def ask(key: SigningKey) -> tuple[int, str]:
            form = token_request(client_assertion(CLIENT, key, TOKEN_URL))
            answer = await http.post(TOKEN_URL, data=form)
            return answer.status_code, answer.json().get("error", "")

        yield ask


def registering(**registered: Any) -> Clinic:
    described = example_clinic().model_dump(by_alias=True)
    described["clients"] = [
        client | (registered if client["id"] == CLIENT else {}) for client in described["clients"]
    ]
    return Clinic.model_validate(described)


REFUSED = (401, "invalid_client")
GIVEN = (200, "")


async def test_a_key_that_stands_in_the_description_counts_and_none_is_made(
    make_database: MakeDatabase, tmp_path: Path
) -> None:
    load_or_make_keys(tmp_path / "keys", clients=[CLIENT])
    before = load_client_key(tmp_path / "keys", CLIENT)
    (tmp_path / "keys" / f"client-{CLIENT}.pem").unlink()
    own = new_key()
    async with issuer_of(make_database, tmp_path / "keys", jwks={"keys": [dict(own.jwk)]}) as ask:
        assert (await ask(own), await ask(before)) == (GIVEN, REFUSED)
    assert not (tmp_path / "keys" / f"client-{CLIENT}.pem").exists()


async def test_a_key_that_was_made_before_counts_no_more(make_database: MakeDatabase, tmp_path: Path) -> None:
    load_or_make_keys(tmp_path, clients=[CLIENT])
    own = new_key()
    async with issuer_of(make_database, tmp_path, jwks={"keys": [dict(own.jwk)]}) as ask:
        assert await ask(load_client_key(tmp_path, CLIENT)) == REFUSED


async def test_keys_at_an_address_are_read_once_and_once_more_for_a_new_one(
    make_database: MakeDatabase, tmp_path: Path, host: KeyHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr(jwks, "monotonic", lambda: now)
    async with issuer_of(make_database, tmp_path, jwks_url=host.url) as ask:
        assert await asyncio.gather(*(ask(host.keys[0]) for _ in range(4))) == [GIVEN] * 4
        assert host.asked == 1
        now += 31
        host.keys.append(new_key())
        assert await ask(host.keys[1]) == GIVEN
        assert [await ask(new_key()) for _ in range(5)] == [REFUSED] * 5
        assert host.asked == 2


async def test_a_key_that_was_taken_away_counts_for_five_minutes_at_most(
    make_database: MakeDatabase, tmp_path: Path, host: KeyHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr(jwks, "monotonic", lambda: now)
    async with issuer_of(make_database, tmp_path, jwks_url=host.url) as ask:
        first = host.keys[0]
        assert await ask(first) == GIVEN
        host.keys[:] = [new_key()]
        now += 299
        assert await ask(first) == GIVEN
        now += 2
        assert (await ask(first), await ask(host.keys[0])) == (REFUSED, GIVEN)


@pytest.mark.parametrize(
    ("said", "lasts"), [("max-age=20", 20), ("no-store", 2), ("public, max-age=86400", 301)]
)
async def test_keys_are_kept_no_longer_than_their_owner_allows(
    make_database: MakeDatabase,
    tmp_path: Path,
    host: KeyHost,
    monkeypatch: pytest.MonkeyPatch,
    said: str,
    lasts: int,
) -> None:
    now = 1000.0
    monkeypatch.setattr(jwks, "monotonic", lambda: now)
    host.headers = {"Cache-Control": said}
    async with issuer_of(make_database, tmp_path, jwks_url=host.url) as ask:
        await ask(host.keys[0])
        now += lasts
        await ask(host.keys[0])
        assert host.asked == 2


@pytest.mark.parametrize(
    "answer",
    [
        b"hello",
        b"[]",
        b'{"keys": {}}',
        b'{"key": []}',
        b'{"keys": [' + b"{}," * 200 + b"{}]}",
        b" " * 70_000 + b'{"keys": []}',
    ],
)
async def test_an_answer_that_is_no_set_of_keys_proves_nothing_and_is_logged(
    make_database: MakeDatabase, tmp_path: Path, host: KeyHost, answer: bytes
) -> None:
    host.answer = answer
    async with issuer_of(make_database, tmp_path, jwks_url=host.url) as ask:
        with capture_logs() as logs:
            assert await ask(host.keys[0]) == REFUSED
    assert [(line["event"], line["client"]) for line in logs] == [("client-keys.unread", CLIENT)]


async def test_keys_of_which_some_are_none_are_read_for_the_others(
    make_database: MakeDatabase, tmp_path: Path, host: KeyHost
) -> None:
    host.answer = json.dumps({"keys": [7, None, {"kid": 5}, dict(host.keys[0].jwk)]}).encode()
    async with issuer_of(make_database, tmp_path, jwks_url=host.url) as ask:
        assert await ask(host.keys[0]) == GIVEN


async def test_a_redirect_is_not_followed(make_database: MakeDatabase, tmp_path: Path, host: KeyHost) -> None:
    host.headers = {"Location": host.url}
    async with issuer_of(make_database, tmp_path, jwks_url=host.url) as ask:
        assert await ask(host.keys[0]) == REFUSED
    assert host.asked == 1


async def test_an_address_of_this_machine_is_not_read(
    make_database: MakeDatabase, tmp_path: Path, host: KeyHost
) -> None:
    to_loopback = outbound_to_loopback(tmp_path)
    guarded = Outbound(secrets=tmp_path, tls=to_loopback.tls, resolve=to_loopback.resolve)
    async with issuer_of(make_database, tmp_path, outbound=guarded, jwks_url=host.url) as ask:
        assert await ask(host.keys[0]) == REFUSED
    assert host.asked == 0


async def test_a_host_that_is_away_proves_nothing_and_is_back_a_moment_later(
    make_database: MakeDatabase, tmp_path: Path, host: KeyHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr(jwks, "monotonic", lambda: now)
    host.answer = b"down"
    async with issuer_of(make_database, tmp_path, jwks_url=host.url) as ask:
        assert [await ask(host.keys[0]) for _ in range(3)] == [REFUSED] * 3
        assert host.asked == 1
        host.answer = None
        now += 1.5
        assert await ask(host.keys[0]) == GIVEN
