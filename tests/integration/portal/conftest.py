"""A clinic with its portal, and browsers at it."""

from collections.abc import AsyncIterator

import pytest

from tests.support.browser import Browser
from tests.support.clinic import TestClinic


@pytest.fixture
async def clinic() -> AsyncIterator[TestClinic]:
    """Run a clinic with its portal."""
    async with TestClinic(pages=True) as running:
        yield running


@pytest.fixture
def browser(clinic: TestClinic) -> Browser:
    """Open a browser."""
    return Browser(clinic.anonymous())
