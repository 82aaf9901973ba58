"""Fixtures of all tests; the databases come from tests/support/postgres.py."""

import gc
import os
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio
from sqlalchemy import MetaData

from shared.db import Database
from tests.support import server
from tests.support.clinic import TestClinic
from tests.support.postgres import service_database, toy_database

_LONGEST = ("tests/journeys/", "tests/failure/", "tests/integration/cluster/", "tests/clients/")
MakeDatabase = Callable[..., Awaitable[Database]]


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        server.begin_run()


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput") and server.RUN in os.environ:
        server.end_run()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with the folders whose tests take minutes, so that no worker waits for one of them at the end."""
    last = len(_LONGEST)
    items.sort(key=lambda item: next((at for at, name in enumerate(_LONGEST) if name in item.nodeid), last))


def pytest_collection_finish() -> None:
    """Leave what was imported out of every later collection of garbage: it stays to the end of the run."""
    gc.collect()
    gc.freeze()


@pytest_asyncio.fixture
async def referral_db() -> AsyncIterator[Database]:
    """The referral service's database, empty."""
    database = await service_database("referral")
    yield database
    await database.close()


@pytest_asyncio.fixture
async def scheduling_db() -> AsyncIterator[Database]:
    """The scheduling service's database, empty."""
    database = await service_database("scheduling")
    yield database
    await database.close()


@pytest_asyncio.fixture
async def careteam_db() -> AsyncIterator[Database]:
    """The careteam service's database, empty."""
    database = await service_database("careteam")
    yield database
    await database.close()


@pytest_asyncio.fixture
async def notifications_db() -> AsyncIterator[Database]:
    """The notifications service's database, empty."""
    database = await service_database("notifications")
    yield database
    await database.close()


@pytest_asyncio.fixture
async def make_database() -> AsyncIterator[MakeDatabase]:
    """A function `await make_database(metadata, name="toy")` that gives an empty database of these tables."""
    made: list[Database] = []

    async def make(metadata: MetaData, *, name: str = "toy") -> Database:
        made.append(await toy_database(metadata, name=name))
        return made[-1]

    yield make
    for database in made:
        await database.close()


@pytest_asyncio.fixture
async def clinic() -> AsyncIterator[TestClinic]:
    """A whole clinic, all services, at the start of an empty Monday."""
    async with TestClinic() as running:
        yield running
