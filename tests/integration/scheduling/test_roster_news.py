"""A process that only answers requests hears of a roster that another process has changed."""

from collections.abc import AsyncIterator
from datetime import date

import pytest

from shared.clinic.current import CurrentClinic
from shared.db import Database
from shared.events.pg_notify import NotifyChannel, api_channel
from shared.roster import refresh
from tests.support.booking import Desk, a_clinic, a_person, local
from tests.support.eventually import eventually
from tests.support.postgres import database_url, worker_name

TUESDAY, WEDNESDAY = date(2026, 6, 2), date(2026, 6, 3)


@pytest.fixture
async def other(scheduling_db: Database) -> AsyncIterator[Database]:
    """Give the same database as another process has it."""
    database = Database.connect(database_url(f"scheduling_{worker_name()}"), name="scheduling")
    yield database
    await database.close()


async def test_it_is_woken_and_does_not_wait_for_its_next_look(
    scheduling_db: Database, other: Database
) -> None:
    desk = Desk(scheduling_db, a_clinic(people=[a_person("ana")]))
    await desk.start()
    current = CurrentClinic(a_clinic(people=[a_person("ana")]))
    channels: list[NotifyChannel] = [api_channel(scheduling_db), api_channel(other)]
    for channel in channels:
        await channel.start()
    try:
        async with refresh.refreshed(other, current):
            assert current.revisions == {"toronto": 1}
            await desk.be_away("ana", local(TUESDAY, "00:00"), local(WEDNESDAY, "00:00"))

            async def heard() -> bool:
                return bool(current.value.person("ana").absences)

            await eventually(heard, within=3.0)
    finally:
        for channel in channels:
            await channel.stop()
    assert current.revisions == {"toronto": 2}
