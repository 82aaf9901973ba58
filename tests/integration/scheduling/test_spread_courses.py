"""Courses whose sessions lie weeks apart: a total that is spread over a programme, and monthly visits."""

from datetime import date, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from services.scheduling.models.rows import Appointment
from services.scheduling.use_cases.series_in_hand import CannotChangeSeries
from shared.db import Database
from tests.integration.scheduling.test_making_up import miss, standing
from tests.integration.scheduling.test_series_of_disciplines import (
    OT,
    PT,
    a_course,
    a_desk,
    a_treatment,
    by_discipline,
    granted,
)
from tests.support.booking import TORONTO, Desk, a_person

ZONE = ZoneInfo(TORONTO)
MONTHLY = {"phases": [{"months": 6, "visits": "monthly", "pt": 1}], "treatments": [a_treatment(PT)]}


def weeks(rows: Any) -> list[date]:
    """The Mondays of the weeks of these sessions."""
    days = [row.starts_at.astimezone(ZONE).date() for row in rows]
    return [day - timedelta(days=day.weekday()) for day in sorted(days)]


def apart(rows: Any) -> list[int]:
    return [(later - earlier).days // 7 for earlier, later in pairwise(weeks(rows))]


def monthly(database: Database, **clinic: Any) -> Desk:
    people = [a_person("ana", purpose=["first"]), a_person("pat", purpose=["session"])]
    return a_desk(database, MONTHLY, people=people, **clinic)


class TestATotal:
    async def test_bounds_a_discipline_whatever_phases_and_payer_say(self, scheduling_db: Database) -> None:
        desk = a_desk(scheduling_db, a_course({"weeks": 4, "pt": 2, "ot": 1}, total={"pt": 3}))
        referral = await granted(desk, pt=20, ot=20)
        assert by_discipline(await desk.sessions(referral)) == {PT: 3, OT: 4}
        with pytest.raises(CannotChangeSeries, match="All 3 sessions"):
            await desk.change_series(referral, "extend", discipline=PT, count=1)
        await desk.authorize(referral, by_discipline={PT: 40, OT: 40})
        assert by_discipline(await desk.sessions(referral)) == {PT: 3, OT: 4}

    async def test_alone_is_spread_over_the_programme(self, scheduling_db: Database) -> None:
        desk = a_desk(scheduling_db, {"total": {"pt": 3}, "treatments": [a_treatment(PT)]})
        referral = await granted(desk, pt=10)
        # The programme of these tests has 26 weeks.
        assert apart(await desk.sessions(referral)) == [8, 9]


class TestMonthlyVisits:
    async def test_lie_a_month_apart_with_one_clinician(self, scheduling_db: Database) -> None:
        desk = monthly(scheduling_db)
        rows = await desk.sessions(await granted(desk, pt=6))
        assert apart(rows) == [4, 4, 5, 4, 4]
        assert {row.practitioner for row in rows} == {"pat"}
        assert len({row.starts_at.astimezone(ZONE).time() for row in rows if row.starts_at}) == 1

    async def test_that_are_granted_later_follow_the_last_one(self, scheduling_db: Database) -> None:
        desk = monthly(scheduling_db)
        referral = await granted(desk, pt=2)
        before = await desk.sessions(referral)
        assert apart(before) == [4]
        await desk.authorize(referral, by_discipline={PT: 5})
        rows = await desk.sessions(referral)
        assert [row.id for row in rows[:2]] == [row.id for row in before]
        assert apart(rows) == [4, 4, 4, 4]

    async def test_that_was_missed_is_made_up_for_a_month_behind_the_last(
        self, scheduling_db: Database
    ) -> None:
        desk = monthly(scheduling_db)
        referral = await granted(desk, pt=3)
        last = (await desk.sessions(referral))[-1]
        await miss(desk, (await desk.sessions(referral))[0])
        rows = await standing(desk, referral)
        assert len(rows) == 3
        assert rows[-2].id == last.id
        assert apart(rows) == [4, 4]

    async def test_go_on_a_week_later_where_a_week_has_no_room(self, scheduling_db: Database) -> None:
        away = (date(2026, 6, 29), date(2026, 7, 5))
        people = [a_person("ana", purpose=["first"]), a_person("pat", purpose=["session"], absences=[away])]
        desk = a_desk(scheduling_db, MONTHLY, people=people)
        rows: list[Appointment] = await desk.sessions(await granted(desk, pt=3))
        assert weeks(rows)[0] == date(2026, 6, 1)
        assert apart(rows) == [5, 4]
