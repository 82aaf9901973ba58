"""Tests of what only Kafka has: partitions, members, rebalances, brokers that go away."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.conftest import MakeDatabase
from tests.support.transports import Wire, kafka


@pytest_asyncio.fixture
async def wire(make_database: MakeDatabase) -> AsyncIterator[Wire]:
    """A publisher and a consumer with the run's Kafka between them."""
    async with kafka(make_database) as made:
        yield made
