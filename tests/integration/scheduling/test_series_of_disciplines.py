"""A course of several disciplines is booked whole or not at all, each inside its own grant."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from shared.db import Database
from shared.events.catalog.scheduling import SeriesNotBooked
from tests.support.booking import REVIEW, TORONTO, Desk, a_clinic, a_person, local

ZONE = ZoneInfo(TORONTO)
PT, OT, PSY = "physiotherapy", "occupational-therapy", "psychology"
TEAM = (PT, OT, PSY)


def a_treatment(discipline: str, minutes: int = 45) -> dict[str, Any]:
    return {"minutes": minutes, "discipline": discipline, "room": "treatment"}


def a_course(*phases: Mapping[str, int], **more: Any) -> dict[str, Any]:
    given = {"pt": PT, "ot": OT, "psy": PSY}
    named = [name for name in given if any(phase.get(name) for phase in phases)]
    return {"phases": list(phases), "treatments": [a_treatment(given[name]) for name in named], **more}


CHRONIC = a_course({"weeks": 2, "pt": 2, "ot": 1, "psy": 1}, {"weeks": 2, "pt": 1})


def a_desk(database: Database, course: Mapping[str, Any] = CHRONIC, **clinic: Any) -> Desk:
    people = clinic.pop("people", None) or [
        a_person("ana", purpose=["first"]),
        a_person("pat", purpose=["session"]),
        a_person("otto", discipline=OT, purpose=["session"]),
        a_person("sy", discipline=PSY, purpose=["session"]),
    ]
    return Desk(database, a_clinic(people=people, team=TEAM, course=course, **clinic))


async def granted(desk: Desk, **units: int) -> str:
    """Accept a referral whose payer grants these units of each discipline."""
    referral = await desk.accept(payer="insurer")
    names = {"pt": PT, "ot": OT, "psy": PSY}
    await desk.authorize(referral, by_discipline={names[name]: count for name, count in units.items()})
    return referral


def by_discipline(rows: Any) -> dict[str, int]:
    return dict(Counter(row.discipline for row in rows))


class TestACourse:
    async def test_is_booked_whole_after_the_first_appointment(self, scheduling_db: Database) -> None:
        desk = a_desk(scheduling_db)
        referral = await granted(desk, pt=6, ot=2, psy=2)
        first, sessions = await desk.first(referral), await desk.sessions(referral)
        assert by_discipline(sessions) == {PT: 6, OT: 2, PSY: 2}
        assert first.ends_at is not None
        assert all(row.starts_at and row.starts_at >= first.ends_at for row in sessions)
        (booked,) = await desk.carried("series.booked")
        assert len(booked.carried("Appointment")) == 10
        assert {one["specialty"][0]["coding"][0]["code"] for one in booked.carried("Appointment")} == set(
            TEAM
        )

    async def test_has_in_each_week_what_its_phase_says(self, scheduling_db: Database) -> None:
        desk = a_desk(scheduling_db)
        sessions = await desk.sessions(await granted(desk, pt=6, ot=2, psy=2))
        weeks: dict[int, Counter[str | None]] = {}
        for row in sessions:
            assert row.starts_at is not None
            week = row.starts_at.astimezone(ZONE).isocalendar().week
            weeks.setdefault(week, Counter())[row.discipline] += 1
        full, last = {PT: 2, OT: 1, PSY: 1}, {PT: 1}
        assert [dict(weeks[week]) for week in sorted(weeks)] == [full, full, last, last]

    async def test_books_of_each_discipline_no_more_than_it_is_granted(self, scheduling_db: Database) -> None:
        desk = a_desk(scheduling_db)
        assert by_discipline(await desk.sessions(await granted(desk, pt=3, psy=1))) == {PT: 3, PSY: 1}

    async def test_shares_one_grant_for_all_out_from_its_beginning(self, scheduling_db: Database) -> None:
        desk = a_desk(scheduling_db)
        referral = await desk.accept(payer="insurer")
        await desk.authorize(referral, discipline=None, units=6)
        assert by_discipline(await desk.sessions(referral)) == {PT: 4, OT: 1, PSY: 1}

    async def test_is_booked_without_a_payer_once_the_first_visit_took_place(
        self, scheduling_db: Database
    ) -> None:
        desk = a_desk(scheduling_db)
        referral = await desk.accept()
        await desk.at(local(date(2026, 6, 2), "10:00"))
        await desk.put(await desk.first(referral), status="fulfilled")
        assert by_discipline(await desk.sessions(referral)) == {PT: 6, OT: 2, PSY: 2}

    async def test_has_its_reviews_and_groups_inside(self, scheduling_db: Database) -> None:
        school = {"id": "school", "name": "Back school", "kind": "group", "minutes": 60}
        group = {**school, "disciplines": [PT], "room": "assessment", "seats": 3}
        course = a_course({"weeks": 2, "pt": 2}, groups=["school"], reviews={"visit": "review", "weeks": [2]})
        desk = a_desk(
            scheduling_db,
            course,
            visits=[REVIEW, group],
            people=[a_person("ana"), a_person("pat", purpose=["session"])],
        )
        referral, other = await granted(desk, pt=4), await granted(desk, pt=4)
        mine, theirs = await desk.visits(referral), await desk.visits(other)
        assert Counter(row.visit_type for row in mine) == {"school": 2, "review": 1}
        assert all(row.series_id is not None for row in mine)
        groups = [{row.group_session for row in rows if row.seat} for rows in (mine, theirs)]
        assert groups[0] == groups[1]
        (booked, _) = await desk.carried("series.booked")
        assert len(booked.carried("Appointment")) == 7


class TestWhatFindsNoRoom:
    async def test_is_named_with_its_week_and_nothing_is_booked(self, scheduling_db: Database) -> None:
        away = a_person(
            "sy", discipline=PSY, purpose=["session"], absences=[(date(2026, 6, 1), date(2027, 6, 1))]
        )
        people = [
            a_person("ana", purpose=["first"]),
            a_person("pat", purpose=["session"]),
            a_person("otto", discipline=OT, purpose=["session"]),
            away,
        ]
        desk = a_desk(scheduling_db, people=people)
        referral = await granted(desk, pt=6, ot=2, psy=2)
        assert await desk.sessions(referral) == []
        (refused,) = await desk.carried("series.not-booked")
        missing, *_ = SeriesNotBooked.of(refused).reasons
        assert missing.code == "no-room-in-week"
        assert [argument.value for argument in missing.arguments] == [PSY, "2026-06-08"]
        async with scheduling_db.transaction() as tx:
            held = await tx.value("SELECT count(*) FROM occupancy WHERE live")
        assert held == 3

    async def test_a_block_says_in_which_week_it_begins(self, scheduling_db: Database) -> None:
        people = [
            a_person("ana", purpose=["first"]),
            a_person("pat", purpose=["session"], absences=[(date(2026, 6, 1), date(2026, 8, 9))]),
        ]
        block = a_course({"weeks": 2, "days": 5, "hours": 6, "pt": 5})
        desk = a_desk(scheduling_db, block, people=people)
        referral = await granted(desk, pt=10)
        assert await desk.sessions(referral) == []
        (refused,) = await desk.carried("series.not-booked")
        found = {reason.code: reason for reason in SeriesNotBooked.of(refused).reasons}
        assert found["block-begins"].arguments[0].value == "2026-08-10"


class TestTwoAtOnce:
    async def test_courses_for_the_same_calendars_are_both_whole(self, scheduling_db: Database) -> None:
        desk = a_desk(scheduling_db)
        referrals = [await desk.accept(payer="insurer") for _ in range(4)]
        units = {PT: 6, OT: 2, PSY: 2}
        await asyncio.gather(*(desk.authorize(one, by_discipline=units) for one in referrals))
        for referral in referrals:
            assert by_discipline(await desk.sessions(referral)) == units
        async with scheduling_db.transaction() as tx:
            rows = await tx.value("SELECT count(*) FROM occupancy WHERE live")
        assert rows == 4 * 3 + 4 * 10 * 3
