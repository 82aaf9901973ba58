"""Requests without a valid token are counted, and leave one row a minute and origin."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import msgspec
import pytest
import pytest_asyncio
from fhir.resources.R4B.auditevent import AuditEvent
from prometheus_client import generate_latest

from deploy.serve.http import configuration
from shared.http import anonymous_calls
from shared.telemetry.registry import REGISTRY
from tests.conftest import MakeDatabase
from tests.support.toy import BASE_URL, Base, Toy, run_toy

NOTES = "/fhir/Communication"


@pytest_asyncio.fixture
async def toy(make_database: MakeDatabase) -> AsyncIterator[Toy]:
    yield await run_toy(await make_database(Base.metadata))


def counted() -> float:
    lines = generate_latest(REGISTRY).decode().splitlines()
    name = 'lumbar_unauthenticated_requests_total{service="toy"} '
    return next((float(line.removeprefix(name)) for line in lines if line.startswith(name)), 0.0)


def client_at(toy: Toy, address: str, **headers: str) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=toy.app, client=(address, 4711))
    return httpx.AsyncClient(transport=transport, base_url=BASE_URL, headers=headers)


async def rows(toy: Toy) -> list[dict[str, Any]]:
    found = await toy.database.fetch("SELECT body FROM audit_event ORDER BY id")
    return [msgspec.json.decode(bytes(row[0])) for row in found]


async def test_a_hundred_leave_one_row_and_are_counted(toy: Toy) -> None:
    before = counted()
    for number in range(100):
        headers = {} if number % 2 else {"Authorization": f"Bearer {number}"}
        answer = await client_at(toy, "192.0.2.7", **headers).get(f"{NOTES}/{number}")
        assert answer.status_code == 401
    assert counted() - before == 100
    (row,) = await rows(toy)
    assert row["agent"][0]["network"] == {"address": "192.0.2.7", "type": "2"}
    AuditEvent.model_validate(row)


async def test_the_next_row_tells_how_many_there_were(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(anonymous_calls, "monotonic", lambda: now)
    for _ in range(10):
        await client_at(toy, "192.0.2.7").get(NOTES)
    now += 61
    await client_at(toy, "192.0.2.8").get(NOTES)
    told = {
        (row["agent"][0]["network"]["address"], entity["detail"][0]["valueString"])
        for row in await rows(toy)
        for entity in row["entity"]
        if "detail" in entity
    }
    assert told == {("192.0.2.7", "1"), ("192.0.2.7", "9"), ("192.0.2.8", "1")}


@pytest.mark.parametrize(
    ("trusted", "peer", "forwarded", "origin"),
    [
        (None, "10.1.0.2", "192.0.2.7", "10.1.0.2"),
        (None, "127.0.0.1", "192.0.2.7", "127.0.0.1"),
        ("10.1.0.2", "10.1.0.3", "192.0.2.7", "10.1.0.3"),
        ("10.1.0.2", "10.1.0.2", "192.0.2.7", "192.0.2.7"),
        ("10.1.0.2", "10.1.0.2", None, "10.1.0.2"),
        ("10.1.0.2", "10.1.0.2", "198.51.100.1, 192.0.2.7", "192.0.2.7"),
        ("10.1.0.2,10.2.0.0/16", "10.1.0.2", "198.51.100.1, 192.0.2.7, 10.2.9.9", "192.0.2.7"),
        ("10.1.0.2", "10.1.0.2", "192.0.2.7, 10.2.9.9", "10.2.9.9"),
    ],
    ids=[
        "no proxy is trusted",
        "nor the machine itself",
        "another peer forges it",
        "a trusted one says who called",
        "a trusted one says nothing",
        "the caller forged a hop before a trusted one",
        "the caller forged a hop before two trusted ones",
        "the hop before is not trusted",
    ],
)
async def test_the_origin_is_whom_a_trusted_proxy_names(
    toy: Toy, trusted: str | None, peer: str, forwarded: str | None, origin: str
) -> None:
    config = configuration(toy.app, lifespan=False, trusted_proxies=trusted)
    config.load()
    transport = httpx.ASGITransport(app=config.loaded_app, client=(peer, 4711))
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    async with httpx.AsyncClient(transport=transport, base_url=BASE_URL, headers=headers) as caller:
        assert (await caller.get(NOTES)).status_code == 401
    (row,) = await rows(toy)
    assert row["agent"][0]["network"]["address"] == origin


async def test_what_a_known_caller_is_refused_leaves_a_row_each_time(toy: Toy) -> None:
    for _ in range(3):
        await toy.as_("family-practice").get(f"{NOTES}/0191d4b2-7a70-7000-8000-00000000000f")
    assert len(await rows(toy)) == 3
