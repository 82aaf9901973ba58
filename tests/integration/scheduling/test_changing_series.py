"""A series is changed by scope, with the dates shown first: one session, it and what follows, or all."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from services.scheduling.models.rows import Appointment
from services.scheduling.use_cases.change import VisitOfAnother
from services.scheduling.use_cases.series_in_hand import CannotChangeSeries
from shared.auth.principal import Principal
from shared.auth.scopes import Scopes
from shared.db import Database
from shared.errors import Invalid, NotFound
from tests.integration.scheduling.test_attendance import tasks
from tests.integration.scheduling.test_making_up import one_discipline, standing, work
from tests.integration.scheduling.test_series_of_disciplines import (
    OT,
    PSY,
    PT,
    a_desk,
    by_discipline,
    granted,
)
from tests.support.booking import TORONTO, Desk, a_clinic, a_person, local

ZONE = ZoneInfo(TORONTO)
WHY = {"reason": "The patient travels."}


def named(row: Appointment) -> dict[str, str]:
    return {"reference": f"Appointment/{row.id}"}


def outcomes(answer: Mapping[str, Any]) -> list[str]:
    parts = [one["part"] for one in answer["parameter"] if one["name"] == "session"]
    return [part["valueCode"] for of_one in parts for part in of_one if part["name"] == "outcome"]


def starts(answer: Mapping[str, Any], name: str = "start") -> list[datetime]:
    parts = [one["part"] for one in answer["parameter"] if one["name"] == "session"]
    found = [part["valueInstant"] for of_one in parts for part in of_one if part["name"] == name]
    return [datetime.fromisoformat(text) for text in found]


async def booked(desk: Desk, units: int = 4, **dates: Any) -> tuple[str, Sequence[Appointment]]:
    referral = await desk.accept(payer="insurer")
    await desk.authorize(referral, units=units, **dates)
    return referral, await desk.sessions(referral)


class TestCallingOff:
    async def test_this_and_following_leaves_what_is_before(self, scheduling_db: Database) -> None:
        desk = one_discipline(scheduling_db)
        referral, rows = await booked(desk)
        told = len(await desk.told())
        answer = await desk.change_series(
            referral, "cancel-sessions", scope="following", session=named(rows[2]), **WHY
        )
        assert outcomes(answer) == ["cancelled", "cancelled"]
        assert [row.id for row in await desk.sessions(referral)] == [row.id for row in rows[:2]]
        after = await desk.carried("appointment.cancelled")
        about = {event.focus["id"] for event in after}
        assert about == {str(row.id) for row in rows[2:]}, "sessions before keep their reminders"
        assert (await desk.told())[told:] == ["appointment.cancelled", "appointment.cancelled"]

    async def test_this_and_following_leaves_what_is_due_when_nobody_comes(
        self, scheduling_db: Database
    ) -> None:
        desk = one_discipline(scheduling_db)
        await desk.start()
        referral, rows = await booked(desk)
        given = {"scope": "following", "session": named(rows[2])}
        await desk.change_series(referral, "cancel-sessions", **given, **WHY)
        last = rows[3].ends_at
        assert last is not None
        await desk.at(last + timedelta(days=2))
        asked = {task.appointment_id for task in await tasks(desk, "record-visit")}
        assert {row.id for row in rows} & asked == {row.id for row in rows[:2]}

    async def test_all_ends_the_series(self, scheduling_db: Database) -> None:
        desk = a_desk(scheduling_db)
        referral = await granted(desk, pt=6, ot=2, psy=2)
        answer = await desk.change_series(referral, "cancel-sessions", scope="all", **WHY)
        assert len(outcomes(answer)) == 10
        series = await desk.series(referral)
        assert series is not None
        assert series.status == "suspended"

    async def test_shows_the_dates_first_and_writes_nothing(self, scheduling_db: Database) -> None:
        desk = one_discipline(scheduling_db)
        referral, rows = await booked(desk)
        told = await desk.told()
        shown = await desk.change_series(
            referral, "cancel-sessions", preview=True, scope="following", session=named(rows[1]), **WHY
        )
        assert starts(shown, "was") == [row.starts_at for row in rows[1:]]
        assert await desk.told() == told
        assert [row.version for row in await desk.sessions(referral)] == [row.version for row in rows]
        async with scheduling_db.transaction() as tx:
            assert await tx.value("SELECT count(*) FROM occupancy WHERE live") == 3 + 4 * 3

    async def test_is_never_revived_by_a_change_of_clinician_or_grant(self, scheduling_db: Database) -> None:
        people = [
            a_person("ana", purpose=["first"]),
            *(a_person(one, purpose=["session"]) for one in ("ben", "bo")),
        ]
        desk = Desk(scheduling_db, a_clinic(people=people))
        await desk.start()
        referral, rows = await booked(desk)
        gone = rows[1]
        await desk.change_series(referral, "cancel-sessions", scope="one", session=named(gone), **WHY)
        await desk.be_away("ben", desk.now, desk.now + timedelta(days=40))
        await desk.authorize(referral, units=4)
        await desk.authorize(referral, units=8)
        left = await standing(desk, referral)
        assert len(left) == 3
        assert gone.starts_at not in {row.starts_at for row in left}

    async def test_needs_a_reason_and_a_session(self, scheduling_db: Database) -> None:
        desk = one_discipline(scheduling_db)
        referral, rows = await booked(desk)
        with pytest.raises(Invalid, match="say why"):
            await desk.change_series(referral, "cancel-sessions", scope="all")
        with pytest.raises(Invalid, match="name the session"):
            await desk.change_series(referral, "cancel-sessions", scope="following", **WHY)
        with pytest.raises(Invalid, match="allowed are one, following, all"):
            await desk.change_series(referral, "cancel-sessions", scope="some", **WHY)
        other, others = await booked(desk)
        with pytest.raises(Invalid, match="a session of this series"):
            await desk.change_series(referral, "cancel-sessions", session=named(others[0]), **WHY)
        assert len(await desk.sessions(referral)) == len(await desk.sessions(other)) == len(rows)


class TestMoving:
    async def test_all_of_a_weekday_go_the_same_way(self, scheduling_db: Database) -> None:
        desk = one_discipline(scheduling_db)
        referral, rows = await booked(desk)
        first = rows[0].starts_at
        assert first is not None
        new = first + timedelta(hours=3)
        answer = await desk.change_series(
            referral, "move-sessions", scope="all", session=named(rows[0]), start=new.isoformat()
        )
        assert outcomes(answer) == ["moved", "moved"]
        moved = [row.starts_at for row in await desk.sessions(referral)]
        assert moved == [new, rows[1].starts_at, new + timedelta(days=7), rows[3].starts_at]

    async def test_keeps_the_wall_clock_over_daylight_saving(self, scheduling_db: Database) -> None:
        desk = one_discipline(scheduling_db, sessions={"per_week": 1})
        desk.clock.set(datetime(2026, 10, 12, 12, 0, tzinfo=UTC))
        referral, rows = await booked(desk)
        assert rows[0].starts_at is not None
        new = rows[0].starts_at.astimezone(ZONE).replace(hour=14)
        await desk.change_series(
            referral,
            "move-sessions",
            scope="all",
            session=named(rows[0]),
            start=new.astimezone(UTC).isoformat(),
        )
        moved = [row.starts_at.astimezone(ZONE) for row in await desk.sessions(referral) if row.starts_at]
        assert {start.hour for start in moved} == {14}
        assert len({start.utcoffset() for start in moved}) == 2

    async def test_that_one_cannot_follow_moves_none_and_names_it(self, scheduling_db: Database) -> None:
        desk = one_discipline(scheduling_db)
        referral, rows = await booked(desk)
        _, others = await booked(desk)
        blocked = others[3]
        first, last = rows[0].starts_at, rows[2].starts_at
        assert first is not None
        assert last is not None
        await desk.put(blocked, start=(last + timedelta(hours=4)).isoformat(), end=None)
        with pytest.raises(CannotChangeSeries, match=f"session of {last.astimezone(ZONE):%Y-%m-%d %H:%M}"):
            await desk.change_series(
                referral,
                "move-sessions",
                scope="all",
                session=named(rows[0]),
                start=(first + timedelta(hours=4)).isoformat(),
            )
        assert [row.starts_at for row in await desk.sessions(referral)] == [row.starts_at for row in rows]

    async def test_a_clinician_changes_only_what_is_all_their_own(self, scheduling_db: Database) -> None:
        desk = a_desk(scheduling_db)
        referral = await granted(desk, pt=2, ot=1)
        scopes = Scopes.parse(["user/List.rus"])
        otto = Principal(client="otto", party="clinician", scopes=scopes, site="toronto", practitioner="otto")
        with pytest.raises(VisitOfAnother):
            await desk.change_series(referral, "cancel-sessions", by=otto, scope="all", **WHY)
        nobody = Principal(client="x", party="clinician", scopes=scopes, site="toronto", practitioner="x")
        with pytest.raises(NotFound):
            await desk.change_series(referral, "cancel-sessions", by=nobody, scope="all", **WHY)


class TestTheLengthOfAPlan:
    async def test_a_hold_books_behind_it_what_lay_in_it(self, scheduling_db: Database) -> None:
        desk = one_discipline(scheduling_db)
        referral, _ = await booked(desk)
        await desk.change_series(referral, "hold", **{"from": "2026-06-08", "until": "2026-06-21"}, **WHY)
        days = [
            row.starts_at.astimezone(ZONE).date() for row in await standing(desk, referral) if row.starts_at
        ]
        assert len(days) == 4
        assert not [day for day in days if date(2026, 6, 8) <= day <= date(2026, 6, 21)]

    async def test_more_sessions_are_booked_where_units_allow(self, scheduling_db: Database) -> None:
        desk = one_discipline(scheduling_db)
        referral, _ = await booked(desk, units=4)
        with pytest.raises(CannotChangeSeries, match="All 4 sessions"):
            await desk.change_series(referral, "extend", count=1)
        own = a_desk(scheduling_db)
        other = await granted(own, pt=6, ot=2, psy=2)
        await own.put((await own.sessions(other))[0], **_cancelled())
        await own.change_series(other, "extend", discipline=PT, count=1)
        assert by_discipline(await own.sessions(other))[PT] == 6

    async def test_boosters_are_booked_from_their_days_on(self, scheduling_db: Database) -> None:
        desk = one_discipline(scheduling_db, sessions={"count": 2})
        referral, rows = await booked(desk, units=4)
        await desk.put(rows[1], **_cancelled())
        await desk.change_series(referral, "extend", on=["2026-06-24"])
        last = (await desk.sessions(referral))[-1].starts_at
        assert last is not None
        assert date(2026, 6, 24) <= last.astimezone(ZONE).date() < date(2026, 7, 8)


class TestAPartOfASeries:
    async def test_is_booked_with_consent_and_the_rest_is_named(self, scheduling_db: Database) -> None:
        away = (date(2026, 6, 8), date(2027, 6, 1))
        people = [
            a_person("ana", purpose=["first"]),
            a_person("pat", purpose=["session"]),
            a_person("otto", discipline=OT, purpose=["session"]),
            a_person("sy", discipline=PSY, purpose=["session"], absences=[away]),
        ]
        desk = a_desk(scheduling_db, people=people)
        referral = await granted(desk, pt=6, ot=2, psy=2)
        assert await desk.sessions(referral) == []
        with pytest.raises(Invalid, match="with the patient's consent only"):
            await desk.change_series(referral, "book-partly")
        shown = await desk.change_series(referral, "book-partly", preview=True, consent=True)
        assert await desk.sessions(referral) == []
        answer = await desk.change_series(referral, "book-partly", consent=True)
        assert starts(answer) == starts(shown)
        assert by_discipline(await desk.sessions(referral)) == {PT: 2, OT: 1, PSY: 1}
        series = await desk.series(referral)
        assert series is not None
        assert (series.status, series.short) == ("booked", {PT: 4, OT: 1, PSY: 1})
        assert series.reasons[0].code == "no-room-in-week"
        await desk.change_series(referral, "settle", reason="The rest is done at home.")
        assert await work(desk) == []

    async def test_is_not_booked_of_what_was_booked_whole(self, scheduling_db: Database) -> None:
        desk = one_discipline(scheduling_db)
        referral, _ = await booked(desk)
        with pytest.raises(CannotChangeSeries, match="found no room as a whole"):
            await desk.change_series(referral, "book-partly", consent=True)
        await desk.end(referral)
        with pytest.raises(CannotChangeSeries, match="has ended"):
            await desk.change_series(referral, "cancel-sessions", scope="all", **WHY)
        assert local(date(2026, 6, 1), "08:00") == desk.now


def _cancelled() -> dict[str, Any]:
    system = "http://terminology.hl7.org/CodeSystem/appointment-cancellation-reason"
    return {"status": "cancelled", "cancelationReason": {"coding": [{"system": system, "code": "pat"}]}}
