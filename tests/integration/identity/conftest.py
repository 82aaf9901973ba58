"""The issuer with demo people, and an application that sends people to it as the portal does."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.conftest import MakeDatabase
from tests.support.sign_in import Application, running_issuer


@pytest_asyncio.fixture
async def portal(make_database: MakeDatabase) -> AsyncIterator[Application]:
    """The portal at an issuer with demo people."""
    async with running_issuer(make_database) as application:
        yield application
