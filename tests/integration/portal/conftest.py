"""A clinic with its portal, and browsers at it."""

from collections.abc import AsyncIterator

import pytest

from tests.support.browser import Browser
from tests.support.clinic import TestClinic
from tests.support.mailbox import Mailbox, open_mailbox
from tests.support.patients import told_patient


@pytest.fixture
async def clinic() -> AsyncIterator[TestClinic]:
    """Run a clinic with its portal."""
    async with TestClinic(pages=True) as running:
        yield running


@pytest.fixture
def browser(clinic: TestClinic) -> Browser:
    """Open a browser."""
    return Browser(clinic.anonymous())


@pytest.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    """Open a mail server."""
    async with open_mailbox() as box:
        yield box


@pytest.fixture
async def hearing(mailbox: Mailbox) -> AsyncIterator[TestClinic]:
    """Run a clinic with its portal, of which a patient was told by e-mail that a visit was moved."""
    async with TestClinic(mailbox=mailbox, pages=True) as made:
        await told_patient(made)
        yield made


@pytest.fixture
async def visitor(hearing: TestClinic) -> AsyncIterator[Browser]:
    """Open a patient's browser."""
    async with hearing.anonymous() as http:
        yield Browser(http)
