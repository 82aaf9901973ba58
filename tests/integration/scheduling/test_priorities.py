"""The guarantee by priority: its day, its timers, its second promise, and a priority that changes."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

import msgspec
import pytest

from services.scheduling.models.rows import Referral
from shared.clinic import Clinic
from shared.db import Database
from shared.ids import new_text_id
from tests.support.booking import (
    BY_PRIORITY,
    MONDAY,
    Desk,
    a_clinic,
    a_person,
    accepted,
    local,
    priority_changed,
)
from tests.support.sql import sql

FRIDAY_AFTERNOON = local(date(2026, 6, 5), "17:00")
# One time a week, on Tuesdays at nine.
TUESDAYS = [a_person("ana", days=["tue"], start="09:00", end="10:00", purpose=["first"])]


def place(*, people: Sequence[Mapping[str, object]] = ()) -> Clinic:
    return a_clinic(people=people, guarantee=BY_PRIORITY)


async def timers_of(desk: Desk, referral: str) -> dict[str, datetime]:
    async with desk.database.transaction() as tx:
        found = await sql(tx, "SELECT kind, due_at FROM timer WHERE ref = :ref", ref=referral)
        return {kind: due_at for kind, due_at in found.all() if kind.startswith("guarantee")}


async def referral_of(desk: Desk, referral: str) -> Referral:
    async with desk.database.transaction() as tx:
        found = await tx.row(Referral, "SELECT * FROM referral WHERE id = $1", UUID(referral))
    assert found is not None
    return found


class TestAnAcceptedReferral:
    @pytest.mark.parametrize(
        ("priority", "days", "left"), [("asap", 5, 1), ("urgent", 10, 3), ("routine", 28, 7)]
    )
    async def test_is_looked_at_when_so_many_days_of_its_priority_are_left(
        self, scheduling_db: Database, priority: str, days: int, left: int
    ) -> None:
        desk = Desk(scheduling_db, place())
        due_on = (MONDAY + timedelta(days=days)).date()
        referral = await desk.accept(priority=priority, due_on=due_on)
        due_at = local(due_on + timedelta(days=1), "00:00")
        assert await timers_of(desk, referral) == {
            "guarantee-at-risk": due_at - timedelta(days=left),
            "guarantee-due": due_at,
        }

    async def test_says_its_priority_and_its_second_promise_in_the_task(
        self, scheduling_db: Database
    ) -> None:
        desk = Desk(scheduling_db, place())
        referral = await desk.accept(priority="urgent", due_on=date(2026, 6, 11))
        task = msgspec.json.decode((await desk.guarantee(referral)).body)
        assert task["priority"] == "urgent"
        codes = {one["type"]["coding"][0]["code"]: one for one in task["input"]}
        assert codes["second-due-on"]["valueDate"] == "2026-07-27"

    async def test_that_comes_too_late_is_broken_at_once_and_looks_at_its_second_promise(
        self, scheduling_db: Database
    ) -> None:
        desk = Desk(scheduling_db, place())
        sent_at = MONDAY - timedelta(days=30)
        referral = await desk.accept(sent_at=sent_at, due_on=date(2026, 5, 30))
        assert (await desk.guarantee(referral)).status == "breached"
        assert (await desk.first(referral)).status == "booked"
        assert await timers_of(desk, referral) == {
            "guarantee-second-due": local(date(2026, 6, 28), "00:00"),
        }

    async def test_of_an_older_version_is_routine(self, scheduling_db: Database) -> None:
        desk = Desk(scheduling_db, place())
        referral = await desk.accept()
        assert (await referral_of(desk, referral)).priority == "routine"

    async def test_is_booked_inside_the_days_of_its_priority(self, scheduling_db: Database) -> None:
        desk = Desk(scheduling_db, place(people=TUESDAYS))
        await desk.accept(due_on=date(2026, 6, 29))
        referral = await desk.accept(priority="asap", due_on=date(2026, 6, 6))
        assert (await desk.first(referral)).status == "waitlist"
        assert (await desk.guarantee(referral)).status == "at-risk"


class TestAtOnce:
    async def test_is_booked_on_the_same_day_two_hours_ahead(self, scheduling_db: Database) -> None:
        desk = Desk(scheduling_db, place())
        referral = await desk.accept(priority="stat", due_on=date(2026, 6, 1))
        assert (await desk.first(referral)).starts_at == MONDAY + timedelta(hours=2)

    async def test_of_a_friday_evening_is_booked_on_monday_morning(self, scheduling_db: Database) -> None:
        desk = Desk(scheduling_db, place(), now=FRIDAY_AFTERNOON)
        referral = await desk.accept(priority="stat", due_on=date(2026, 6, 8))
        starts_at = (await desk.first(referral)).starts_at
        assert starts_at is not None
        assert starts_at.date() == date(2026, 6, 8)
        assert (await desk.guarantee(referral)).status == "on-track"

    async def test_wants_the_coordinator_from_acceptance_until_the_visit_took_place(
        self, scheduling_db: Database
    ) -> None:
        desk = Desk(scheduling_db, place())
        referral = await desk.accept(priority="stat", due_on=date(2026, 6, 1))
        assert (await desk.guarantee(referral)).unbooked_since == MONDAY
        assert await desk.told() == ["appointment.booked", "guarantee.attention-needed"]
        row = await desk.first(referral)
        await desk.at(MONDAY + timedelta(hours=4))
        await desk.put(row, status="fulfilled")
        guarantee = await desk.guarantee(referral)
        assert (guarantee.status, guarantee.unbooked_since) == ("met", None)

    async def test_that_a_priority_becomes_later_wants_the_coordinator_too(
        self, scheduling_db: Database
    ) -> None:
        desk = Desk(scheduling_db, place())
        referral = await desk.accept()
        assert (await desk.guarantee(referral)).unbooked_since is None
        await desk.change_priority(referral, priority="stat", due_on=date(2026, 6, 1))
        guarantee = await desk.guarantee(referral)
        assert (guarantee.status, guarantee.unbooked_since) == ("at-risk", MONDAY)
        assert (await desk.told())[-2:] == ["guarantee.at-risk", "guarantee.attention-needed"]


class TestARaisedPriority:
    async def test_brings_the_end_and_its_timers_nearer_and_leaves_what_is_booked_in_time(
        self, scheduling_db: Database
    ) -> None:
        desk = Desk(scheduling_db, place())
        referral = await desk.accept()
        before = await desk.first(referral)
        await desk.change_priority(referral, priority="asap", due_on=date(2026, 6, 6))
        guarantee, first = await desk.guarantee(referral), await desk.first(referral)
        due_at = local(date(2026, 6, 7), "00:00")
        assert (guarantee.status, guarantee.due_at, first.due_at) == ("on-track", due_at, due_at)
        assert (first.starts_at, first.version) == (before.starts_at, before.version)
        found = await timers_of(desk, referral)
        assert found["guarantee-at-risk"] == due_at - timedelta(days=1)
        assert found["guarantee-due"] == due_at
        assert msgspec.json.decode(guarantee.body)["priority"] == "asap"

    async def test_moves_nothing_that_now_stands_too_late_but_says_that_it_is_at_risk(
        self, scheduling_db: Database
    ) -> None:
        desk = Desk(scheduling_db, place(people=TUESDAYS))
        holder = await desk.accept()
        late = await desk.accept()
        assert (await desk.first(late)).starts_at == local(date(2026, 6, 9), "09:00")
        await desk.end(holder)
        await desk.change_priority(late, priority="asap", due_on=date(2026, 6, 6))
        assert (await desk.first(late)).starts_at == local(date(2026, 6, 9), "09:00")
        assert (await desk.guarantee(late)).status == "at-risk"
        assert (await desk.told())[-1] == "guarantee.at-risk"

    async def test_lets_who_waits_try_once_more(self, scheduling_db: Database) -> None:
        people = [a_person("ana", days=["mon"], start="08:00", end="12:00", purpose=["first"])]
        desk = Desk(scheduling_db, place(people=people))
        referral = await desk.accept(due_on=date(2026, 6, 5))
        assert (await desk.first(referral)).status == "waitlist"
        await desk.change_priority(referral, priority="stat", due_on=date(2026, 6, 1))
        assert (await desk.first(referral)).starts_at == MONDAY + timedelta(hours=2)

    async def test_leaves_a_guarantee_that_is_met(self, scheduling_db: Database) -> None:
        desk = Desk(scheduling_db, place())
        referral = await desk.accept()
        await desk.at(local(date(2026, 6, 2), "18:00"))
        await desk.put(await desk.first(referral), status="fulfilled")
        told = await desk.told()
        await desk.change_priority(referral, priority="asap", due_on=date(2026, 6, 7))
        assert (await desk.guarantee(referral)).status == "met"
        assert await timers_of(desk, referral) == {}
        assert await desk.told() == told


class TestALoweredPriority:
    async def test_gives_the_days_of_the_new_one_and_takes_the_danger_away(
        self, scheduling_db: Database
    ) -> None:
        desk = Desk(scheduling_db, place(people=TUESDAYS))
        await desk.accept()
        referral = await desk.accept(priority="asap", due_on=date(2026, 6, 6))
        assert (await desk.first(referral)).status == "waitlist"
        await desk.change_priority(referral, priority="routine", due_on=date(2026, 6, 29))
        assert (await desk.first(referral)).starts_at == local(date(2026, 6, 9), "09:00")
        guarantee = await desk.guarantee(referral)
        assert (guarantee.status, guarantee.due_at) == ("on-track", local(date(2026, 6, 30), "00:00"))

    async def test_does_not_mend_a_guarantee_that_broke(self, scheduling_db: Database) -> None:
        desk = Desk(scheduling_db, place(people=TUESDAYS))
        await desk.accept()
        referral = await desk.accept(priority="asap", due_on=date(2026, 6, 6))
        await desk.at(local(date(2026, 6, 7), "00:00"))
        assert (await desk.guarantee(referral)).status == "breached"
        await desk.change_priority(referral, priority="routine", due_on=date(2026, 6, 29))
        guarantee = await desk.guarantee(referral)
        assert (guarantee.status, guarantee.due_at) == ("breached", local(date(2026, 6, 7), "00:00"))
        assert (await referral_of(desk, referral)).priority == "routine"
        assert set(await timers_of(desk, referral)) == {"guarantee-second-due"}


class TestTheEventOfAChange:
    async def test_that_comes_again_or_is_older_changes_nothing(self, scheduling_db: Database) -> None:
        desk = Desk(scheduling_db, place())
        referral = await desk.accept()
        newer = priority_changed(referral, at=desk.now, version=3, priority="asap", due_on=date(2026, 6, 6))
        await desk.hear(newer)
        version = (await desk.guarantee(referral)).version
        older = priority_changed(
            referral, at=desk.now, version=2, priority="urgent", due_on=date(2026, 6, 11)
        )
        for event in (newer, older, newer):
            await desk.hear(event)
        guarantee = await desk.guarantee(referral)
        assert (guarantee.version, guarantee.due_at) == (version, local(date(2026, 6, 7), "00:00"))
        assert (await referral_of(desk, referral)).priority == "asap"

    async def test_of_what_was_never_accepted_or_has_ended_changes_nothing(
        self, scheduling_db: Database
    ) -> None:
        desk = Desk(scheduling_db, place())
        referral = await desk.accept()
        await desk.end(referral)
        told = await desk.told()
        for of in (referral, new_text_id()):
            await desk.change_priority(of, priority="asap", due_on=date(2026, 6, 6))
        assert (await referral_of(desk, referral)).priority == "routine"
        assert await desk.told() == told

    async def test_that_follows_an_acceptance_in_one_batch_is_taken(self, scheduling_db: Database) -> None:
        desk = Desk(scheduling_db, place())
        referral = new_text_id()
        await desk.hear(accepted(referral, at=desk.now, priority="urgent", due_on=date(2026, 6, 11)))
        await desk.change_priority(referral, priority="routine", due_on=date(2026, 6, 29))
        assert (await desk.guarantee(referral)).due_at == local(date(2026, 6, 30), "00:00")


class TestTheSecondPromise:
    SECOND_END = local(date(2026, 7, 28), "00:00")

    async def test_breaks_once_where_nobody_was_seen_and_wants_the_coordinator(
        self, scheduling_db: Database
    ) -> None:
        desk = Desk(scheduling_db, place(people=TUESDAYS))
        referral = await desk.accept()
        # Every Tuesday is missed, those after the due day too.
        while (row := await desk.first(referral)).starts_at is None or row.starts_at < self.SECOND_END:
            if row.ends_at is None:
                await desk.at((await desk.guarantee(referral)).due_at)
                continue
            await desk.at(row.ends_at)
            await desk.put(row, status="noshow")
        assert (await desk.guarantee(referral)).unbooked_since is None
        await desk.at(self.SECOND_END + timedelta(days=3))
        guarantee = await desk.guarantee(referral)
        assert guarantee.status == "breached"
        assert (guarantee.second_breached_at, guarantee.unbooked_since) == (self.SECOND_END,) * 2
        told = await desk.told()
        assert (told.count("guarantee.breached"), told.count("guarantee.second-breached")) == (1, 1)
        await desk.put(await desk.first(referral), status="fulfilled")
        assert (await desk.guarantee(referral)).unbooked_since is None

    async def test_is_asked_about_again_while_a_visit_before_it_is_not_recorded(
        self, scheduling_db: Database
    ) -> None:
        desk = Desk(scheduling_db, place(people=TUESDAYS))
        referral = await desk.accept()
        await desk.at(self.SECOND_END + timedelta(hours=1))
        assert "guarantee.second-breached" not in await desk.told()
        await desk.put(await desk.first(referral), status="noshow")
        assert "guarantee.second-breached" in await desk.told()

    async def test_of_who_was_seen_or_whose_referral_ended_does_not_break(
        self, scheduling_db: Database
    ) -> None:
        desk = Desk(scheduling_db, place())
        seen, ended = await desk.accept(), await desk.accept()
        await desk.end(ended)
        await desk.at(local(date(2026, 6, 3), "09:00"))
        await desk.put(await desk.first(seen), status="fulfilled")
        await desk.at(self.SECOND_END + timedelta(days=1))
        assert "guarantee.second-breached" not in await desk.told()
