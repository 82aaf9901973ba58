"""A request whose database cannot be reached is told to try again, wherever the way there ends."""

import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import pytest_asyncio

from shared.db import Database
from tests.support.toy import Toy, make_toy

# What a server says as soon as somebody comes: too many connections, starting, shutting down, no such role.
SAYS = {"53300": "full", "57P03": "starting", "57P01": "shutting down", "28000": "closed to this role"}


@contextmanager
def refusing(sqlstate: str) -> Iterator[str]:
    """Stand for a PostgreSQL that refuses every connection with this SQLSTATE; give its address."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def refuse() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(4096)
                    fields = b"SFATAL\0VFATAL\0C" + sqlstate.encode() + b"\0Mno\0\0"
                    connection.sendall(b"E" + (len(fields) + 4).to_bytes(4, "big") + fields)

        thread = threading.Thread(target=refuse, daemon=True)
        thread.start()
        yield f"postgresql://nobody@127.0.0.1:{server.getsockname()[1]}/nothing?sslmode=disable"
        server.shutdown(socket.SHUT_RDWR)
    thread.join(5)


@pytest_asyncio.fixture
async def opened() -> AsyncIterator[list[Database]]:
    """The databases that a test has opened, closed after it."""
    found: list[Database] = []
    yield found
    for database in found:
        await database.close()


def toy_over(url: str, opened: list[Database]) -> Toy:
    opened.append(Database.connect(url, name="toy"))
    return make_toy(opened[-1])


async def expect_try_again(toy: Toy) -> None:
    sender = toy.as_("family-practice")
    note: dict[str, Any] = {"resourceType": "Communication", "status": "completed"}
    for answer in (
        await sender.get("/fhir/Communication"),
        await sender.post("/fhir/Communication", json=note),
        await sender.post("/fhir/Communication", json=note, headers={"Idempotency-Key": "k"}),
    ):
        assert (answer.status_code, answer.headers.get("retry-after")) == (503, "1"), answer.text
        assert answer.headers["content-type"] == "application/fhir+json"
        assert answer.json()["issue"][0]["code"] == "transient"


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("postgresql://nobody@no-such-host.invalid/nothing", id="no such host"),
        pytest.param("postgresql://nobody@127.0.0.1:1/nothing", id="nobody listens"),
        pytest.param("postgresql:///nothing?host=/no/such/folder&user=nobody", id="no such socket"),
    ],
)
async def test_a_database_that_cannot_be_found_is_503(url: str, opened: list[Database]) -> None:
    await expect_try_again(toy_over(url, opened))


@pytest.mark.parametrize("sqlstate", SAYS, ids=SAYS.values())
async def test_a_database_that_lets_nobody_in_is_503(sqlstate: str, opened: list[Database]) -> None:
    with refusing(sqlstate) as url:
        await expect_try_again(toy_over(url, opened))


async def test_a_server_that_speaks_no_tls_is_503(opened: list[Database]) -> None:
    with refusing("57P03") as url:
        await expect_try_again(toy_over(url.replace("disable", "require"), opened))
