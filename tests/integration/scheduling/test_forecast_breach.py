"""A guarantee that the plan of an evening foresees to break: said once, taken back, and never stronger than
what is certain.
"""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest

from services.scheduling import use_cases
from services.scheduling.rules.linear_program import NotOptimal, Program
from shared.clinic import Clinic
from shared.db import Database
from tests.integration.scheduling.test_plan import AT_START, TUESDAY, evening, started
from tests.support.booking import BY_PRIORITY, MONDAY, Desk, a_clinic, a_person, local

# Two Tuesdays lie before the due day, the third one after it; it is at risk from the 9th of June on.
DUE = date(2026, 6, 15)
TUESDAYS = a_person("ana", days=["tue"], start="09:00", end="10:00")
FRIDAYS = a_person("ben", days=["fri"], start="09:00", end="10:00")


def place(*people: dict[str, Any]) -> Clinic:
    """A clinic that plans, with a visit every Tuesday and whom else it has."""
    return a_clinic(
        people=[TUESDAYS, *people],
        guarantee=BY_PRIORITY,
        scheduling={"policy": "plan", "at_once_below": 0.0},
    )


async def one_too_many(database: Database) -> tuple[Desk, list[str]]:
    """Accept three referrals of which two can be seen in time."""
    desk = await started(database, place())
    return desk, [await desk.accept(due_on=DUE) for _ in range(3)]


async def statuses(desk: Desk, referrals: list[str]) -> list[str]:
    return sorted([(await desk.guarantee(one)).status for one in referrals])


async def foreseen(desk: Desk, referrals: list[str]) -> str:
    """The one whose guarantee is foreseen to break."""
    [found] = [one for one in referrals if (await desk.guarantee(one)).status == "forecast-breach"]
    return found


async def said(desk: Desk) -> list[str]:
    """What was published of guarantees, but for the promises."""
    told = [one for one in await desk.told() if one not in AT_START]
    return [one for one in told if one.startswith("guarantee.") and one != "guarantee.promised"]


class TestABreachIsForeseen:
    async def test_where_the_plan_finds_no_day_in_time(self, scheduling_db: Database) -> None:
        desk, referrals = await one_too_many(scheduling_db)
        assert await statuses(desk, referrals) == ["planned"] * 3
        await desk.at(evening(MONDAY.date()))
        assert await statuses(desk, referrals) == ["forecast-breach", "on-track", "planned"]
        assert await said(desk) == ["guarantee.forecast-breach"]
        [event] = await desk.carried("guarantee.forecast-breach")
        referral = await foreseen(desk, referrals)
        guarantee = await desk.guarantee(referral)
        task = msgspec.json.decode(guarantee.body)
        assert task["businessStatus"]["coding"][0]["code"] == "forecast-breach"
        assert task["status"] == "in-progress"
        assert guarantee.unbooked_since == local(MONDAY.date(), "18:00")
        assert event.referral_id == referral
        assert (await desk.first(referral)).status == "proposed"

    async def test_and_said_once_however_many_evenings_find_the_same(self, scheduling_db: Database) -> None:
        desk, referrals = await one_too_many(scheduling_db)
        await desk.at(evening(MONDAY.date()))
        before = await desk.guarantee(await foreseen(desk, referrals))
        await desk.at(evening(TUESDAY))
        after = await desk.guarantee(await foreseen(desk, referrals))
        assert (after.referral_id, after.version) == (before.referral_id, before.version)
        assert (await said(desk)).count("guarantee.forecast-breach") == 1

    async def test_not_of_whom_this_very_evening_tells_a_late_day(self, scheduling_db: Database) -> None:
        saturdays = a_person("ana", days=["sat"], start="09:00", end="10:00")
        desk = await started(
            scheduling_db,
            a_clinic(
                people=[saturdays],
                guarantee=BY_PRIORITY,
                scheduling={"policy": "plan", "at_once_below": 0.0},
            ),
        )
        referral = await desk.accept(due_on=date(2026, 6, 5), priority="urgent")
        assert (await desk.guarantee(referral)).status == "planned"
        await desk.at(evening(MONDAY.date()))
        assert (await desk.first(referral)).starts_at == local(date(2026, 6, 6), "09:00")
        assert await said(desk) == ["guarantee.at-risk"]

    async def test_all_or_nothing_with_the_plan(self, scheduling_db: Database) -> None:
        """A kill before the plan's transaction ends leaves neither a status, an event nor a day to book."""

        async def cut_short() -> None:
            async with scheduling_db.transaction() as tx:
                await use_cases.plan_first_visits.run(desk.ctx(), tx, "toronto")
                raise InterruptedError

        desk, referrals = await one_too_many(scheduling_db)
        desk.clock.set(evening(MONDAY.date()))
        with pytest.raises(InterruptedError):
            await cut_short()
        assert await statuses(desk, referrals) == ["planned"] * 3
        assert await said(desk) == []
        await desk.settle()
        assert await statuses(desk, referrals) == ["forecast-breach", "on-track", "planned"]
        assert await said(desk) == ["guarantee.forecast-breach"]

    async def test_by_no_evening_whose_program_failed(
        self, scheduling_db: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(self: Program, *, iterations: int) -> list[float]:
            raise NotOptimal("Iteration limit reached")

        desk, referrals = await one_too_many(scheduling_db)
        with monkeypatch.context() as broken:
            broken.setattr(Program, "solved", fail)
            await desk.at(evening(MONDAY.date()))
            assert await said(desk) == []
        await desk.at(evening(TUESDAY))
        referral = await foreseen(desk, referrals)
        monkeypatch.setattr(Program, "solved", fail)
        desk.clinic = place(FRIDAYS)
        async with scheduling_db.transaction() as tx:
            await use_cases.plan_first_visits.run(desk.ctx(), tx, "toronto")
        assert (await desk.guarantee(referral)).status == "forecast-breach", "what was foreseen stays"


class TestAForesightIsTakenBack:
    async def test_by_the_plan_that_finds_a_day_in_time(self, scheduling_db: Database) -> None:
        desk, referrals = await one_too_many(scheduling_db)
        await desk.at(evening(MONDAY.date()))
        referral = await foreseen(desk, referrals)
        second_clinician = a_person("ben", days=["tue"], start="09:00", end="10:00")
        desk.clinic = place(second_clinician)
        await desk.at(evening(TUESDAY))
        guarantee = await desk.guarantee(referral)
        assert (guarantee.status, guarantee.unbooked_since) == ("planned", None)
        assert await said(desk) == ["guarantee.forecast-breach", "guarantee.forecast-lifted"]
        await desk.at(evening(date(2026, 6, 3)))
        first = await desk.first(referral)
        assert first.starts_at is not None
        assert first.starts_at < local(DUE, "00:00")
        assert (await desk.guarantee(referral)).status == "on-track"

    async def test_by_a_visit_that_a_coordinator_books_in_time(self, scheduling_db: Database) -> None:
        desk, referrals = await one_too_many(scheduling_db)
        await desk.at(evening(MONDAY.date()))
        referral = await foreseen(desk, referrals)
        desk.clinic = place(FRIDAYS)
        await desk.put(
            await desk.first(referral), status="booked", start=local(date(2026, 6, 5), "09:00").isoformat()
        )
        assert (await desk.guarantee(referral)).status == "on-track"
        await desk.at(evening(TUESDAY))
        assert (await desk.guarantee(referral)).status == "on-track"
        assert await said(desk) == ["guarantee.forecast-breach"]


class TestWhatIsCertainIsStronger:
    async def test_few_days_left_put_it_at_risk_and_no_plan_takes_that_back(
        self, scheduling_db: Database
    ) -> None:
        desk = await started(scheduling_db, place())
        due = {"due_on": date(2026, 6, 4), "priority": "urgent"}
        referrals = [await desk.accept(**due) for _ in range(2)]
        await desk.at(evening(MONDAY.date()))
        referral = await foreseen(desk, referrals)
        await desk.at(local(TUESDAY, "00:00"))
        assert (await desk.guarantee(referral)).status == "at-risk"
        await desk.at(evening(TUESDAY))
        assert (await desk.first(referral)).status == "proposed"
        assert (await desk.guarantee(referral)).status == "at-risk"
        assert await said(desk) == ["guarantee.forecast-breach", "guarantee.at-risk"]

    async def test_a_late_day_that_was_told_puts_it_at_risk(self, scheduling_db: Database) -> None:
        desk, referrals = await one_too_many(scheduling_db)
        await desk.at(evening(MONDAY.date()))
        referral = await foreseen(desk, referrals)
        await desk.at(evening(date(2026, 6, 3)))
        assert (await desk.first(referral)).status == "booked"
        assert (await desk.guarantee(referral)).status == "at-risk"
        assert await said(desk) == ["guarantee.forecast-breach", "guarantee.at-risk"]

    async def test_an_ended_referral_ends_it(self, scheduling_db: Database) -> None:
        desk, referrals = await one_too_many(scheduling_db)
        await desk.at(evening(MONDAY.date()))
        referral = await foreseen(desk, referrals)
        await desk.end(referral)
        guarantee = await desk.guarantee(referral)
        assert (guarantee.status, guarantee.unbooked_since) == ("ended", None)

    async def test_who_was_booked_while_the_plan_was_made_is_not_foreseen(
        self, scheduling_db: Database
    ) -> None:
        desk, referrals = await one_too_many(scheduling_db)
        visits = [await desk.first(one) for one in referrals]
        start = local(TUESDAY, "09:00").isoformat()
        await desk.put(visits[0], status="booked", start=start)
        await desk.end(referrals[1])
        async with scheduling_db.transaction() as tx:
            is_late = {UUID(str(visit.id)): True for visit in visits}
            await use_cases.foresee_breaches.run(desk.ctx(), tx, is_late)
        assert [(await desk.guarantee(one)).status for one in referrals] == [
            *("on-track", "ended", "forecast-breach")
        ]

    async def test_another_priority_keeps_it_open_with_timers_of_its_own(
        self, scheduling_db: Database
    ) -> None:
        desk, referrals = await one_too_many(scheduling_db)
        await desk.at(evening(MONDAY.date()))
        referral = await foreseen(desk, referrals)
        due_on = date(2026, 6, 13)
        await desk.change_priority(referral, priority="urgent", due_on=due_on, version=2)
        async with scheduling_db.transaction() as tx:
            sql = "SELECT due_at FROM timer WHERE kind = 'guarantee-at-risk' AND ref = $1"
            at_risk: datetime = await tx.value(sql, referral)
        assert at_risk == local(due_on + timedelta(days=1), "00:00") - timedelta(days=3)
        assert (await desk.guarantee(referral)).status == "forecast-breach"
