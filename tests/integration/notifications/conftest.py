"""The notifications service without HTTP: its runtime, and a way to let it hear events."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from services.notifications import handlers
from shared.clinic import Clinic
from shared.clinic.current import CurrentClinic
from shared.clock import SimulatedClock
from shared.db import Database
from shared.events.catalog.types import typed
from shared.events.envelope import Event
from shared.events.inbox.handling import EventBatch, EventContext
from shared.events.outbox.relay import Relay
from shared.events.transport.postgres_log import PostgresTransport
from shared.runtime import Runtime
from tests.support.context import example_clinic
from tests.support.feed import Hear
from tests.support.news import NOON


@pytest.fixture(scope="module")
def clinic() -> Clinic:
    return example_clinic()


@pytest.fixture
def runtime(notifications_db: Database, clinic: Clinic) -> Runtime:
    nobody: Any = None
    return Runtime(
        service="notifications",
        database=notifications_db,
        clock=SimulatedClock(NOON),
        current=CurrentClinic(clinic),
        transport=PostgresTransport({"notifications": notifications_db}),
        verifier=nobody,
        base_url="http://clinic.example",
    )


@pytest_asyncio.fixture
async def hear(runtime: Runtime) -> AsyncIterator[Hear]:
    """Handle events and let the relay move what they left."""
    relay = Relay(runtime.database, runtime.transport)

    async def handle(*events: Event) -> None:
        for event in events:
            ctx = runtime.context(cause=event.id)
            async with runtime.database.transaction() as tx:
                run = EventBatch([EventContext(typed(event), ctx)])
                await handlers.on_events(ctx, tx, run)
                run.raise_if_deferred()
        while await relay.step():
            pass

    yield handle
    await relay.stop()
