"""Journeys run with a mail server, so that people can be told; none may leave a strange label behind."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.support.clinic import TestClinic
from tests.support.labels import check_labels, forget_figures
from tests.support.mailbox import open_mailbox


@pytest_asyncio.fixture
async def clinic(request: pytest.FixtureRequest) -> AsyncIterator[TestClinic]:
    """A whole clinic whose e-mail arrives, on an empty Monday; the transport may be a parameter."""
    forget_figures()
    transport = getattr(request, "param", "embedded")
    async with open_mailbox() as mailbox, TestClinic(mailbox=mailbox, transport=transport) as made:
        yield made
        check_labels(made.workers.values())
