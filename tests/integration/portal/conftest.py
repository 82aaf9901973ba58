"""A clinic with its portal, and browsers at it."""

from collections.abc import AsyncIterator

import pytest

from tests.integration.referral.test_correcting_a_patient import consent, correct
from tests.journeys.test_patients_hear import booked, move, refer
from tests.support.browser import Browser
from tests.support.clinic import TestClinic
from tests.support.mailbox import Mailbox, open_mailbox


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
    async with TestClinic(smtp_url=mailbox.url, pages=True) as made:
        patient = await refer(made)
        await made.days(1)
        visit = await booked(made)
        await correct(made, patient, extension=[consent("email")])
        await move(made, visit)
        yield made


@pytest.fixture
async def visitor(hearing: TestClinic) -> AsyncIterator[Browser]:
    """Open a patient's browser."""
    async with hearing.anonymous() as http:
        yield Browser(http)
