"""The measurement of a morning's reminders writes each of them once, over several parts."""

from bench.reminders import measure
from services.notifications.use_cases.reminders import AT_ONCE
from shared.clinic import Clinic
from shared.db import Database
from tests.support.context import example_clinic


async def test_a_morning_of_more_than_one_part_is_queued_whole(notifications_db: Database) -> None:
    clinic: Clinic = example_clinic()
    found = await measure(notifications_db, clinic, patients=AT_ONCE + 7)
    assert found.queued > 0
    assert found.ratio > 0
