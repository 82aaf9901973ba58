"""Journeys run with a mail server, so that people can be told; none may leave a strange label behind."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.support.clinic import TestClinic
from tests.support.labels import check_labels, forget_figures
from tests.support.mailbox import open_mailbox


@pytest_asyncio.fixture
async def clinic() -> AsyncIterator[TestClinic]:
    """A whole clinic whose e-mail arrives, at the start of an empty Monday."""
    forget_figures()
    async with open_mailbox() as mailbox, TestClinic(smtp_url=mailbox.url) as made:
        yield made
        check_labels(made.workers.values())
