"""First visits by the clinic's policy: at once, or promised and planned in the evening."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from services.scheduling import handlers, use_cases
from services.scheduling.rules.linear_program import NotOptimal, Program
from services.scheduling.rules.status_change import NotInThisState
from shared.clinic import Clinic
from shared.db import Database
from tests.support.booking import BY_PRIORITY, MONDAY, Desk, a_clinic, a_person, local

TUESDAY, FRIDAY = date(2026, 6, 2), date(2026, 6, 5)
ROUTINE, URGENT, ASAP = date(2026, 6, 29), date(2026, 6, 11), date(2026, 6, 6)
RESERVES: Mapping[str, Any] = {
    **BY_PRIORITY,
    "priorities": {
        **BY_PRIORITY["priorities"],
        "asap": {"days": 5, "at_risk_days": 1, "weight": 20, "reserve": 0.5, "kept_until_days": 1},
        "urgent": {"days": 10, "at_risk_days": 3, "weight": 5},
    },
}


def place(*, policy: str = "plan", at_once_below: float = 0.0, **more: Any) -> Clinic:
    """A clinic of one physiotherapist with one first visit a day, and by default never quiet."""
    people = more.pop("people", [a_person("ana", start="09:00", end="10:00")])
    numbers = {"policy": policy, "at_once_below": at_once_below}
    return a_clinic(people=people, guarantee=RESERVES, scheduling=numbers, **more)


def evening(day: date) -> datetime:
    return local(day, "18:00") + timedelta(minutes=1)


async def started(database: Database, clinic: Clinic, *, now: datetime = MONDAY) -> Desk:
    """A desk whose worker has started, so that its evenings are set."""
    desk = Desk(database, clinic, now=now)
    async with database.transaction() as tx:
        await handlers.on_start(desk.ctx(), tx)
    await desk.settle()
    return desk


AT_START = ("directory.changed", "roster.changed")


class TestAReferralThatCanWait:
    async def test_is_promised_a_visit_and_nothing_is_taken(self, scheduling_db: Database) -> None:
        desk = await started(scheduling_db, place())
        referral = await desk.accept(due_on=ROUTINE)
        assert (await desk.first(referral)).status == "proposed"
        assert (await desk.guarantee(referral)).status == "planned"
        assert [one for one in await desk.told() if one not in AT_START] == ["guarantee.promised"]
        async with scheduling_db.transaction() as tx:
            assert await tx.value("SELECT count(*) FROM occupancy") == 0

    async def test_is_told_its_day_within_two_working_days(self, scheduling_db: Database) -> None:
        desk = await started(scheduling_db, place())
        near = await desk.accept(due_on=ROUTINE)
        await desk.at(evening(MONDAY.date()))
        assert (await desk.first(near)).starts_at == local(TUESDAY, "09:00")
        told = [one for one in await desk.told() if one not in AT_START]
        assert told == ["guarantee.promised", "appointment.booked"]
        assert (await desk.guarantee(near)).status == "on-track"

    async def test_has_its_day_planned_again_each_evening_until_it_is_told(
        self, scheduling_db: Database
    ) -> None:
        """All near days are taken, so the day is far and is told after two working days."""
        tuesdays = [a_person("ana", days=["tue"], start="09:00", end="10:00")]
        desk = await started(scheduling_db, place(people=tuesdays))
        await desk.accept(due_on=ASAP, priority="asap")
        waits = await desk.accept(due_on=ROUTINE)
        await desk.at(evening(TUESDAY))
        assert (await desk.first(waits)).status == "proposed"
        await desk.at(evening(date(2026, 6, 3)))
        first = await desk.first(waits)
        assert first.status == "booked"
        assert first.starts_at
        assert local(date(2026, 6, 9), "09:00") <= first.starts_at <= local(ROUTINE, "09:00")

    async def test_gets_the_next_day_where_the_planned_one_was_taken_meanwhile(
        self, scheduling_db: Database
    ) -> None:
        desk = await started(scheduling_db, place())
        referral = await desk.accept(due_on=ROUTINE)
        row = await desk.first(referral)
        other = await desk.accept(due_on=ASAP, priority="asap")
        assert (await desk.first(other)).starts_at == local(TUESDAY, "09:00")
        async with scheduling_db.transaction() as tx:
            ref = f"{row.id}/{TUESDAY.isoformat()}"
            await use_cases.book_planned_day.run(desk.ctx(), tx, ref, cache=desk.cache)
        assert (await desk.first(referral)).starts_at == local(date(2026, 6, 3), "09:00")

    async def test_ended_before_its_day_is_told_leaves_nothing(self, scheduling_db: Database) -> None:
        desk = await started(scheduling_db, place())
        referral = await desk.accept(due_on=ROUTINE)
        await desk.end(referral)
        await desk.at(evening(TUESDAY))
        assert (await desk.first(referral)).status == "cancelled"
        assert "appointment.booked" not in await desk.told()

    async def test_gets_a_day_at_once_when_its_priority_is_raised(self, scheduling_db: Database) -> None:
        desk = await started(scheduling_db, place())
        referral = await desk.accept(due_on=ROUTINE)
        await desk.change_priority(referral, priority="asap", due_on=ASAP, version=2)
        assert (await desk.first(referral)).starts_at == local(TUESDAY, "09:00")

    async def test_joins_the_waitlist_where_no_evening_finds_a_day(self, scheduling_db: Database) -> None:
        desk = await started(scheduling_db, place(people=[a_person("ana", purpose=["session"])]))
        referral = await desk.accept(due_on=ROUTINE)
        await desk.at(evening(date(2026, 6, 3)))
        assert (await desk.first(referral)).status == "waitlist"
        assert (await desk.told())[-2:] == ["waitlist.joined", "guarantee.at-risk"]

    async def test_is_booked_by_a_coordinator_who_does_not_wait_for_the_evening(
        self, scheduling_db: Database
    ) -> None:
        desk = await started(scheduling_db, place())
        referral = await desk.accept(due_on=ROUTINE)
        row = await desk.first(referral)
        booked = await desk.put(row, status="booked", start=local(FRIDAY, "09:00").isoformat())
        assert booked.starts_at == local(FRIDAY, "09:00")
        await desk.at(evening(TUESDAY))
        assert (await desk.first(referral)).starts_at == local(FRIDAY, "09:00")


class TestAReferralThatCannotWait:
    @pytest.mark.parametrize(("priority", "due_on"), [("asap", ASAP), ("routine", ASAP)])
    async def test_has_its_day_at_once(self, scheduling_db: Database, priority: str, due_on: date) -> None:
        desk = await started(scheduling_db, place())
        referral = await desk.accept(due_on=due_on, priority=priority)
        assert (await desk.first(referral)).starts_at == local(TUESDAY, "09:00")

    async def test_has_the_earliest_day_at_all_at_once_where_none_is_in_time(
        self, scheduling_db: Database
    ) -> None:
        thursdays = [a_person("ana", days=["thu"], start="09:00", end="10:00")]
        desk = await started(scheduling_db, place(people=thursdays))
        referral = await desk.accept(due_on=date(2026, 6, 3), priority="asap")
        assert (await desk.first(referral)).starts_at == local(date(2026, 6, 4), "09:00")
        assert (await desk.guarantee(referral)).status == "at-risk"

    async def test_of_a_lower_priority_with_no_day_in_time_is_promised_one_that_harms_least(
        self, scheduling_db: Database
    ) -> None:
        thursdays = [a_person("ana", days=["thu"], start="09:00", end="10:00")]
        desk = await started(scheduling_db, place(people=thursdays))
        referral = await desk.accept(due_on=date(2026, 6, 3), priority="urgent")
        row = await desk.first(referral)
        assert row.status == "proposed"
        with pytest.raises(NotInThisState, match="follows by the plan of the evening"):
            await desk.put(row, status="arrived")

    async def test_has_it_at_once_in_a_quiet_clinic_whatever_its_priority(
        self, scheduling_db: Database
    ) -> None:
        desk = await started(scheduling_db, place(at_once_below=0.8))
        referral = await desk.accept(due_on=ROUTINE)
        assert (await desk.first(referral)).status == "booked"

    async def test_is_no_longer_booked_at_once_when_the_same_minute_has_filled_the_clinic(
        self, scheduling_db: Database
    ) -> None:
        """What a site has free is read once a minute; what is given meanwhile counts as taken."""
        tuesdays = [a_person("ana", days=["tue"], start="09:00", end="10:00")]
        desk = await started(scheduling_db, place(at_once_below=0.75, people=tuesdays))
        each = [await desk.accept(due_on=ROUTINE) for _ in range(4)]
        given = [(await desk.first(referral)).status for referral in each]
        assert given == ["booked", "booked", "booked", "proposed"]

    async def test_is_booked_at_once_again_a_minute_after_time_was_given_back(
        self, scheduling_db: Database
    ) -> None:
        tuesdays = [a_person("ana", days=["tue"], start="09:00", end="10:00")]
        desk = await started(scheduling_db, place(at_once_below=0.75, people=tuesdays))
        early = [await desk.accept(due_on=ROUTINE) for _ in range(2)]
        for referral in early:
            await desk.end(referral)
        await desk.at(MONDAY + timedelta(minutes=1))
        later = await desk.accept(due_on=ROUTINE)
        assert (await desk.first(later)).status == "booked"

    async def test_who_missed_a_visit_with_few_days_left_is_booked_again_at_once(
        self, scheduling_db: Database
    ) -> None:
        desk = await started(scheduling_db, place())
        referral = await desk.accept(due_on=ASAP, priority="asap")
        await desk.at(local(TUESDAY, "09:30"))
        await desk.put(await desk.first(referral), status="noshow")
        assert (await desk.first(referral)).starts_at == local(date(2026, 6, 3), "09:00")


class TestTheCarveOut:
    async def test_leaves_the_near_days_to_who_is_more_urgent(self, scheduling_db: Database) -> None:
        """Half of each day is kept for asap until a day ahead: of one visit a day that is all of it."""
        two_a_day = [a_person("ana", start="09:00", end="11:00")]
        desk = Desk(scheduling_db, place(policy="carve-out", people=two_a_day))
        wednesday = date(2026, 6, 3)
        placed = [await desk.accept(due_on=ROUTINE) for _ in range(3)]
        starts = [(await desk.first(one)).starts_at for one in placed]
        assert starts[:2] == [local(TUESDAY, "09:00"), local(TUESDAY, "10:00")]
        assert starts[2] == local(wednesday, "09:00")
        fourth = await desk.accept(due_on=ROUTINE)
        assert (await desk.first(fourth)).starts_at == local(date(2026, 6, 4), "09:00")
        urgent = await desk.accept(due_on=ASAP, priority="asap")
        assert (await desk.first(urgent)).starts_at == local(wednesday, "10:00")

    async def test_gives_a_kept_time_rather_than_none(self, scheduling_db: Database) -> None:
        one_day = [a_person("ana", days=["thu"], start="09:00", end="10:00")]
        desk = Desk(scheduling_db, place(policy="carve-out", people=one_day))
        referral = await desk.accept(due_on=date(2026, 6, 10))
        assert (await desk.first(referral)).starts_at == local(date(2026, 6, 4), "09:00")


class TestAnEvening:
    async def test_without_an_optimal_plan_gives_the_days_by_the_carve_out(
        self, scheduling_db: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(self: Program, *, iterations: int) -> list[float]:
            raise NotOptimal("Iteration limit reached")

        desk = await started(scheduling_db, place())
        referral = await desk.accept(due_on=ROUTINE)
        monkeypatch.setattr(Program, "solved", fail)
        await desk.at(evening(TUESDAY))
        assert (await desk.first(referral)).status == "booked"

    async def test_whose_bookings_were_cut_short_tells_each_day_once(self, scheduling_db: Database) -> None:
        """Two plans before anything of the first was booked, as after a kill: the second changes nothing."""
        desk = await started(scheduling_db, place())
        referrals = [await desk.accept(due_on=ROUTINE) for _ in range(3)]
        for _ in range(2):
            async with scheduling_db.transaction() as tx:
                await use_cases.plan_first_visits.run(desk.ctx(), tx, "toronto")
        await desk.settle()
        assert (await desk.told()).count("appointment.booked") == 3
        starts = [(await desk.first(one)).starts_at for one in referrals]
        assert len(set(starts)) == 3

    async def test_is_set_once_however_often_the_worker_starts(self, scheduling_db: Database) -> None:
        desk = await started(scheduling_db, place())
        async with scheduling_db.transaction() as tx:
            await handlers.on_start(desk.ctx(), tx)
            found = await tx.records("SELECT ref, due_at FROM timer WHERE kind = 'plan-first-visits'")
        assert [tuple(one) for one in found] == [("toronto", local(MONDAY.date(), "18:00"))]
        await desk.at(evening(MONDAY.date()))
        async with scheduling_db.transaction() as tx:
            found = await tx.records("SELECT ref, due_at FROM timer WHERE kind = 'plan-first-visits'")
        assert [tuple(one) for one in found] == [("toronto", local(TUESDAY, "18:00"))]

    async def test_of_a_clinic_that_no_longer_plans_is_the_last(self, scheduling_db: Database) -> None:
        desk = await started(scheduling_db, place())
        referral = await desk.accept(due_on=ROUTINE)
        desk.clinic = place(policy="earliest")
        await desk.at(evening(MONDAY.date()))
        async with scheduling_db.transaction() as tx:
            assert await tx.value("SELECT count(*) FROM timer WHERE kind = 'plan-first-visits'") == 0
        assert (await desk.first(referral)).starts_at == local(TUESDAY, "09:00")
