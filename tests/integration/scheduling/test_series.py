"""A series of sessions is booked whole or not at all, inside the grant and after the first appointment."""

from datetime import date
from zoneinfo import ZoneInfo

from shared.db import Database
from shared.events.catalog.scheduling import SeriesNotBooked
from shared.reasons import Argument
from tests.support.booking import TORONTO, Desk, a_clinic, a_person, local

FIRST_ONLY = a_person("ana", purpose=["first"])
ZONE = ZoneInfo(TORONTO)


def desk_with(database: Database, *therapists: dict[str, object], **clinic: object) -> Desk:
    people = [FIRST_ONLY, *(therapists or (a_person("ben", purpose=["session"]),))]
    return Desk(database, a_clinic(people=people, **clinic))  # type: ignore[arg-type]


class TestOnAuthorizationDecided:
    async def test_books_the_whole_series_after_the_first_appointment(self, scheduling_db: Database) -> None:
        desk = desk_with(scheduling_db)
        referral = await desk.accept(payer="insurer")
        await desk.authorize(referral, starts=date(2026, 6, 1), ends=date(2026, 7, 31))
        first, sessions = await desk.first(referral), await desk.sessions(referral)
        assert len(sessions) == 4
        assert first.ends_at is not None
        assert all(row.starts_at and row.starts_at >= first.ends_at for row in sessions)
        assert {row.practitioner for row in sessions} == {"ben"}
        (booked,) = await desk.carried("series.booked")
        assert [entry["item"]["reference"] for entry in booked.focus["entry"]] == [
            f"Appointment/{row.id}" for row in sessions
        ]
        assert len(booked.carried("Appointment")) == 4

    async def test_a_series_that_took_place_stays_when_its_first_visit_is_recorded_as_missed_later(
        self, scheduling_db: Database
    ) -> None:
        away = a_person("ana", purpose=["first"], absences=[(date(2026, 6, 8), date(2027, 6, 8))])
        desk = Desk(scheduling_db, a_clinic(people=[away, a_person("ben", purpose=["session"])]))
        referral = await desk.accept(payer="insurer")
        await desk.authorize(referral)
        sessions = await desk.sessions(referral)
        assert sessions[-1].ends_at is not None
        await desk.at(sessions[-1].ends_at)
        for session in sessions:
            await desk.put(session, status="fulfilled")
        await desk.put(await desk.first(referral), status="noshow")
        series = await desk.series(referral)
        assert series is not None
        assert series.status == "completed"
        assert "series.not-booked" not in await desk.told()

    async def test_keeps_weekday_and_wall_clock_time(self, scheduling_db: Database) -> None:
        desk = desk_with(scheduling_db, sessions={"count": 8})
        referral = await desk.accept(payer="insurer")
        await desk.authorize(referral, units=8)
        starts = [row.starts_at.astimezone(ZONE) for row in await desk.sessions(referral) if row.starts_at]
        assert len({start.time() for start in starts}) == 1
        assert len({start.weekday() for start in starts}) == 2
        weeks = [start.isocalendar()[:2] for start in starts]
        assert all(weeks.count(week) <= 2 for week in weeks)

    async def test_books_no_more_than_the_units_granted(self, scheduling_db: Database) -> None:
        desk = desk_with(scheduling_db, sessions={"count": 13})
        referral = await desk.accept(payer="insurer")
        await desk.authorize(referral, status="partially-approved", units=12)
        assert len(await desk.sessions(referral)) == 12

    async def test_a_conflict_at_the_third_session_books_none(self, scheduling_db: Database) -> None:
        closed = [date(2026, 6, 16)]
        desk = desk_with(scheduling_db, a_person("ben", days=["tue"]), closed=closed)
        referral = await desk.accept(payer="insurer")
        await desk.authorize(referral, units=3, starts=date(2026, 6, 3), ends=date(2026, 6, 24))
        assert await desk.sessions(referral) == []
        assert "series.booked" not in await desk.told()
        (refused,) = await desk.carried("series.not-booked")
        assert refused.focus["note"][0]["text"].startswith("Session 3 of 3 finds no time")
        assert refused.focus["note"][0]["text"].count("with P. Ben") == 3
        failed, *instead = SeriesNotBooked.of(refused).reasons
        assert [argument.value for argument in failed.arguments] == [3, 3]
        assert [reason.code for reason in instead] == ["free-instead"] * 3
        assert instead[0].arguments[0] == Argument("start", "dateTime", "2026-06-30T13:00:00.000Z")
        async with scheduling_db.transaction() as tx:
            held = await tx.value("SELECT count(*) FROM occupancy")
        assert held == 3

    async def test_a_grant_that_ends_in_the_middle_books_none(self, scheduling_db: Database) -> None:
        desk = desk_with(scheduling_db)
        referral = await desk.accept(payer="insurer")
        await desk.authorize(referral, units=4, starts=date(2026, 6, 3), ends=date(2026, 6, 6))
        assert await desk.sessions(referral) == []
        (refused,) = await desk.carried("series.not-booked")
        assert "Session 3 of 4" in refused.focus["note"][0]["text"]

    async def test_pended_holds_nothing_until_it_is_approved(self, scheduling_db: Database) -> None:
        desk = desk_with(scheduling_db)
        referral = await desk.accept(payer="insurer")
        await desk.authorize(referral, status="pended")
        assert await desk.sessions(referral) == []
        await desk.authorize(referral)
        assert len(await desk.sessions(referral)) == 4

    async def test_denied_cancels_every_funded_session_still_to_come(self, scheduling_db: Database) -> None:
        desk = desk_with(scheduling_db)
        referral = await desk.accept(payer="insurer")
        await desk.authorize(referral)
        await desk.authorize(referral, status="denied")
        assert await desk.sessions(referral) == []
        (suspended,) = await desk.carried("series.suspended")
        assert len(suspended.carried("Appointment")) == 4
        assert (await desk.first(referral)).status == "booked"

    async def test_a_narrower_grant_cancels_what_lies_beyond_it(self, scheduling_db: Database) -> None:
        desk = desk_with(scheduling_db)
        referral = await desk.accept(payer="insurer")
        await desk.authorize(referral, units=4)
        before = await desk.sessions(referral)
        await desk.authorize(referral, status="modified", units=3)
        assert [row.id for row in await desk.sessions(referral)] == [row.id for row in before[:3]]

    async def test_an_answer_after_the_end_changes_nothing(self, scheduling_db: Database) -> None:
        desk = desk_with(scheduling_db)
        referral = await desk.accept(payer="insurer")
        await desk.end(referral)
        before = await desk.told()
        await desk.authorize(referral)
        assert await desk.told() == before


class TestWithoutAPayer:
    async def test_books_the_series_when_the_first_appointment_took_place(
        self, scheduling_db: Database
    ) -> None:
        desk = desk_with(scheduling_db)
        referral = await desk.accept()
        assert await desk.series(referral) is None
        await desk.at(local(date(2026, 6, 2), "10:00"))
        await desk.put(await desk.first(referral), status="fulfilled")
        assert len(await desk.sessions(referral)) == 4
        assert (await desk.told())[-3:] == ["appointment.fulfilled", "guarantee.met", "series.booked"]

    async def test_completes_the_series_with_its_last_session(self, scheduling_db: Database) -> None:
        desk = desk_with(scheduling_db, sessions={"count": 2})
        referral = await desk.accept()
        await desk.at(local(date(2026, 6, 2), "10:00"))
        await desk.put(await desk.first(referral), status="fulfilled")
        first_session, last_session = await desk.sessions(referral)
        for session, completed in ((first_session, 0), (last_session, 1)):
            assert session.ends_at is not None
            await desk.at(session.ends_at)
            await desk.put(session, status="fulfilled")
            assert (await desk.told()).count("series.completed") == completed


class TestWhenTheFirstAppointmentMoves:
    async def test_past_a_session_the_rest_is_booked_anew(self, scheduling_db: Database) -> None:
        desk = desk_with(scheduling_db)
        referral = await desk.accept(payer="insurer")
        await desk.authorize(referral)
        first = await desk.first(referral)
        moved = await desk.put(
            first, start=local(date(2026, 6, 15), "09:00").isoformat(), end=None, status="booked"
        )
        sessions = await desk.sessions(referral)
        assert len(sessions) == 4
        assert moved.ends_at is not None
        assert all(row.starts_at and row.starts_at >= moved.ends_at for row in sessions)
        assert (await desk.told())[-3:] == ["appointment.moved", "series.suspended", "series.booked"]
