"""Referral alone, behind its doors, on an empty Monday."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.support.clinic import TestClinic


@pytest_asyncio.fixture
async def clinic() -> AsyncIterator[TestClinic]:
    async with TestClinic(services=("referral",)) as running:
        yield running
