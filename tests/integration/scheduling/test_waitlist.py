"""Who waits gets freed time, the fewest days left to the guarantee first; what ends leaves nothing behind."""

from datetime import date

import pytest

from shared.db import Database
from tests.support.booking import Desk, a_clinic, a_person, local

ONE_TIME = a_clinic(people=[a_person("ana", days=["tue"], start="09:00", end="10:00")])
TUESDAY = date(2026, 6, 2)


class TestFreedTime:
    async def test_goes_to_the_one_with_the_fewest_days_left(self, scheduling_db: Database) -> None:
        desk = Desk(scheduling_db, ONE_TIME)
        holder = await desk.accept(due_on=date(2026, 6, 5))
        later = await desk.accept(due_on=date(2026, 6, 8))
        sooner = await desk.accept(due_on=date(2026, 6, 6))
        assert [(await desk.first(one)).status for one in (later, sooner)] == ["waitlist", "waitlist"]
        await desk.end(holder)
        assert (await desk.first(sooner)).starts_at == local(TUESDAY, "09:00")
        assert (await desk.first(later)).status == "waitlist"
        told = await desk.told()
        assert told[-2:] == ["waitlist.left", "appointment.booked"]
        assert (await desk.guarantee(sooner)).status == "on-track"

    async def test_is_offered_when_a_visit_moves(self, scheduling_db: Database) -> None:
        person = a_person("ana", days=["tue", "thu"], start="09:00", end="10:00")
        desk = Desk(scheduling_db, a_clinic(people=[person]))
        holder = await desk.accept(due_on=date(2026, 6, 3))
        waits = await desk.accept(due_on=date(2026, 6, 3))
        first = await desk.first(holder)
        await desk.put(first, start=local(date(2026, 6, 4), "09:00").isoformat(), end=None)
        assert (await desk.first(waits)).starts_at == local(TUESDAY, "09:00")

    async def test_on_the_waitlist_a_coordinator_can_book_later_than_due(
        self, scheduling_db: Database
    ) -> None:
        desk = Desk(scheduling_db, ONE_TIME)
        await desk.accept(due_on=date(2026, 6, 5))
        waits = await desk.accept(due_on=date(2026, 6, 5))
        row = await desk.first(waits)
        booked = await desk.put(row, status="booked", start=local(date(2026, 6, 9), "09:00").isoformat())
        assert (booked.status, booked.practitioner) == ("booked", "ana")
        assert (await desk.guarantee(waits)).status == "at-risk"

    async def test_who_waits_has_no_session_to_come_so_that_booking_gives_no_time_back(
        self, scheduling_db: Database
    ) -> None:
        ana = a_person("ana", days=["tue"], start="09:00", end="10:00", purpose=["first"])
        desk = Desk(scheduling_db, a_clinic(people=[ana, a_person("ben", purpose=["session"])]))
        referral = await desk.accept(payer="insurer", due_on=date(2026, 6, 5))
        await desk.authorize(referral)
        assert len(await desk.sessions(referral)) == 4
        await desk.at(local(TUESDAY, "09:00"))
        await desk.put(await desk.first(referral), status="noshow")
        assert (await desk.first(referral)).status == "waitlist"
        assert await desk.sessions(referral) == []


class TestOnReferralRevoked:
    async def test_leaves_nothing_behind(self, scheduling_db: Database) -> None:
        desk = Desk(scheduling_db, a_clinic(people=[a_person("ana"), a_person("ben")]))
        referral = await desk.accept(payer="insurer")
        await desk.authorize(referral)
        await desk.end(referral)
        async with scheduling_db.transaction() as tx:
            live = await tx.value("SELECT count(*) FROM occupancy WHERE live")
            waiting = await tx.value("SELECT count(*) FROM timer")
        assert (live, waiting) == (0, 0)
        assert (await desk.guarantee(referral)).status == "ended"
        assert await desk.sessions(referral) == []
        assert (await desk.told())[-2:] == ["appointment.cancelled", "series.suspended"]

    @pytest.mark.parametrize("again", ["referral.revoked", "referral.closed"])
    async def test_a_referral_ends_once(self, scheduling_db: Database, again: str) -> None:
        desk = Desk(scheduling_db, a_clinic())
        referral = await desk.accept()
        await desk.end(referral)
        told, reason = await desk.told(), await _ended_because(scheduling_db)

        await desk.end(referral, again)

        assert await desk.told() == told
        assert await _ended_because(scheduling_db) == reason

    async def test_cancels_a_visit_that_is_over_and_was_never_recorded(self, scheduling_db: Database) -> None:
        desk = Desk(scheduling_db, ONE_TIME)
        referral = await desk.accept()
        await desk.at(local(date(2026, 6, 3), "09:00"))
        await desk.end(referral, "referral.closed")
        assert (await desk.first(referral)).status == "cancelled"
        assert (await desk.guarantee(referral)).status == "ended"

    async def test_takes_the_patient_off_the_waitlist(self, scheduling_db: Database) -> None:
        desk = Desk(scheduling_db, ONE_TIME)
        await desk.accept(due_on=date(2026, 6, 5))
        waits = await desk.accept(due_on=date(2026, 6, 5))
        await desk.end(waits, "referral.closed")
        assert (await desk.first(waits)).status == "cancelled"
        assert (await desk.told())[-1] == "waitlist.left"

    async def test_before_acceptance_is_nothing_to_do(self, scheduling_db: Database) -> None:
        desk = Desk(scheduling_db, ONE_TIME)
        await desk.end("019a0000-0000-7000-8000-000000000000")
        assert await desk.told() == []


async def _ended_because(database: Database) -> tuple[str, int]:
    """Give why the only referral ended, and how many versions its guarantee has."""
    async with database.transaction() as tx:
        [found] = await tx.records(
            "SELECT ended_because, version FROM referral JOIN guarantee ON referral_id = referral.id"
        )
    return found["ended_because"], found["version"]
