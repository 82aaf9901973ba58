"""One suite for everything that carries events: one more factory adds one more transport."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.conftest import MakeDatabase
from tests.support.transports import Wire, embedded, kafka


@pytest_asyncio.fixture(params=[embedded, kafka])
async def wire(request: pytest.FixtureRequest, make_database: MakeDatabase) -> AsyncIterator[Wire]:
    async with request.param(make_database) as made:
        yield made
