"""What a batch costs: the same round trips for one event, or one message that is due, and for many."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from services.notifications import handlers, use_cases
from services.notifications.states import Channel
from shared.clinic import load_clinic
from shared.clock import machine_now
from shared.db import Database
from shared.events.catalog.types import typed
from shared.events.inbox.handling import EventBatch, EventContext
from shared.ids import new_id, new_text_id
from tests.support.context import a_context
from tests.support.news import NOON, referral_event
from tests.support.roundtrips import round_trips
from tests.support.sql import sql

CLINIC = load_clinic(Path(__file__).parents[3] / "examples" / "clinic.yaml")


async def hear(database: Database, *, referrals: int, has_server: bool) -> None:
    events = [
        referral_event(name, referral=referral)
        for referral in [new_text_id() for _ in range(referrals)]
        for name in ("received", "accepted")
    ]
    ctx = a_context(at=NOON, clinic=CLINIC, service="notifications")
    run = EventBatch([EventContext(typed(event), replace(ctx, cause=event.id)) for event in events])
    async with database.transaction() as tx:
        await handlers.on_events(ctx, tx, run, without=() if has_server else {Channel.EMAIL})


@pytest.mark.parametrize("has_server", [True, False])
async def test_a_batch_costs_the_same_round_trips_whatever_its_size(
    notifications_db: Database, has_server: bool
) -> None:
    # A statement is prepared once for one row and once for several.
    for size in (1, 40):
        await hear(notifications_db, referrals=size, has_server=has_server)
    found = []
    for size in (1, 40):
        with round_trips() as counted:
            await hear(notifications_db, referrals=size, has_server=has_server)
        found.append(counted.total())

    assert found[0] == found[1] <= 12
    async with notifications_db.transaction() as tx:
        assert (await sql(tx, "SELECT count(*) FROM notification")).scalar() == 82


async def take(database: Database, *, limit: int, has_server: bool) -> int:
    ctx, now = a_context(at=NOON, clinic=CLINIC, service="notifications"), machine_now()
    lease = use_cases.take.Lease(token=new_id(), machine_now=now, machine_until=now + timedelta(minutes=5))
    async with database.transaction() as tx:
        found, _ = await use_cases.take.run(
            ctx,
            tx,
            channel=Channel.EMAIL,
            lease=lease,
            limit=limit,
            has_way=has_server,
            new_secret=new_text_id,
        )
    return found


@pytest.mark.parametrize("has_server", [True, False])
async def test_taking_what_is_due_costs_the_same_round_trips_however_much_it_is(
    notifications_db: Database, has_server: bool
) -> None:
    await hear(notifications_db, referrals=82, has_server=True)
    found = []
    for limit in (1, 40, 1, 40):
        with round_trips() as counted:
            assert await take(notifications_db, limit=limit, has_server=has_server) == limit
        found.append(counted.total())

    assert found[2] == found[3]
