"""A clinic in which only careteam runs; what the other services say is put into their logs."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.support.clinic import TestClinic


@pytest_asyncio.fixture
async def clinic() -> AsyncIterator[TestClinic]:
    """The example clinic, on a Monday morning in March, with careteam alone."""
    async with TestClinic(services=("careteam",)) as clinic:
        await clinic.settle()
        yield clinic
