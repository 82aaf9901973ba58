"""Tests of what only Kafka has: partitions, members, rebalances, brokers that go away."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.conftest import MakeDatabase
from tests.support.kafka import kafka_of_run
from tests.support.transports import Wire, kafka


@pytest_asyncio.fixture
async def wire(make_database: MakeDatabase) -> AsyncIterator[Wire]:
    """A publisher and a consumer with the run's Kafka between them; no mock will do."""
    kafka_of_run()
    async with kafka(make_database) as made:
        yield made
