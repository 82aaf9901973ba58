"""A series keeps what it is to have: a missed session is made up for, a wider grant is used, and what people
called off is never booked again.
"""

from collections import Counter
from datetime import date
from typing import Any

from services.scheduling import queries, use_cases
from services.scheduling.models.rows import Appointment
from shared.db import Database
from shared.events.catalog.scheduling import SeriesLeftShort
from tests.integration.scheduling.test_series_of_disciplines import (
    OT,
    PSY,
    PT,
    a_desk,
    by_discipline,
    granted,
)
from tests.support.booking import Desk, a_clinic, a_person


def cancelled(code: str = "pat") -> dict[str, Any]:
    system = "http://terminology.hl7.org/CodeSystem/appointment-cancellation-reason"
    return {"status": "cancelled", "cancelationReason": {"coding": [{"system": system, "code": code}]}}


def one_discipline(database: Database, **more: Any) -> Desk:
    people = [a_person("ana", purpose=["first"]), a_person("ben", purpose=["session"])]
    return Desk(database, a_clinic(people=people, **more))


async def miss(desk: Desk, row: Appointment) -> Appointment:
    assert row.ends_at is not None
    await desk.at(row.ends_at)
    return await desk.put(row, status="noshow")


async def standing(desk: Desk, referral: str) -> list[Appointment]:
    return [row for row in await desk.sessions(referral) if row.status in ("booked", "fulfilled")]


async def work(desk: Desk) -> list[Any]:
    async with desk.database.transaction() as tx:
        return list(await tx.records("SELECT short, short_since FROM series WHERE short_since IS NOT NULL"))


class TestAMissedSession:
    async def test_is_made_up_for_with_the_same_clinician(self, scheduling_db: Database) -> None:
        desk = a_desk(scheduling_db)
        referral = await granted(desk, pt=6, ot=2, psy=2)
        missed = await miss(desk, (await desk.sessions(referral))[0])
        assert by_discipline(await standing(desk, referral)) == {PT: 6, OT: 2, PSY: 2}
        told = await desk.told()
        assert told[-1] == "appointment.booked"
        instead = max(await standing(desk, referral), key=lambda row: row.id)
        assert (instead.discipline, instead.practitioner) == (missed.discipline, missed.practitioner)
        assert instead.starts_at is not None
        assert instead.starts_at > desk.now

    async def test_is_on_the_worklist_where_it_finds_no_time(self, scheduling_db: Database) -> None:
        desk = one_discipline(scheduling_db)
        referral = await desk.accept(payer="insurer")
        await desk.authorize(referral, units=4, starts=date(2026, 6, 2), ends=date(2026, 6, 14))
        rows = await desk.sessions(referral)
        last = rows[-1].starts_at
        assert last is not None
        await desk.authorize(referral, units=4, starts=date(2026, 6, 2), ends=last.date())
        for row in rows[:-1]:
            assert row.ends_at is not None
            await desk.at(row.ends_at)
            await desk.put(row, status="fulfilled")
        await miss(desk, rows[-1])
        (short,) = await desk.carried("series.left-short")
        first, *instead = SeriesLeftShort.of(short).reasons
        assert (first.code, [one.value for one in first.arguments]) == ("session-not-made-up", [PT, 1])
        assert {reason.code for reason in instead} <= {"free-instead", "nothing-free"}
        assert len(await work(desk)) == 1
        await desk.authorize(referral, units=4, starts=date(2026, 6, 2), ends=date(2026, 8, 30))
        assert len(await standing(desk, referral)) == 4
        assert await work(desk) == []

    async def test_is_left_to_a_person_after_two_in_a_row(self, scheduling_db: Database) -> None:
        desk = one_discipline(scheduling_db)
        referral = await desk.accept(payer="insurer")
        await desk.authorize(referral, units=4)
        for row in (await desk.sessions(referral))[:2]:
            await miss(desk, row)
        assert len(await standing(desk, referral)) == 3
        (short,) = await desk.carried("series.left-short")
        assert [reason.code for reason in SeriesLeftShort.of(short).reasons] == ["missed-in-a-row"]
        assert len(await work(desk)) == 1

    async def test_is_not_made_up_for_beyond_the_units(self, scheduling_db: Database) -> None:
        desk = one_discipline(scheduling_db)
        referral = await desk.accept(payer="insurer")
        await desk.authorize(referral, units=4)
        await desk.authorize(referral, units=3)
        await miss(desk, (await desk.sessions(referral))[0])
        assert len(await standing(desk, referral)) == 3

    async def test_that_took_place_after_all_calls_off_what_was_booked_instead(
        self, scheduling_db: Database
    ) -> None:
        desk = one_discipline(scheduling_db)
        referral = await desk.accept(payer="insurer")
        await desk.authorize(referral, units=4)
        missed = await miss(desk, (await desk.sessions(referral))[0])
        assert len(await standing(desk, referral)) == 4
        await desk.correct(missed, "fulfilled")
        rows = await standing(desk, referral)
        assert Counter(row.status for row in rows) == {"booked": 3, "fulfilled": 1}

    async def test_is_booked_once_when_two_record_it(self, scheduling_db: Database) -> None:
        desk = one_discipline(scheduling_db)
        referral = await desk.accept(payer="insurer")
        await desk.authorize(referral, units=4)
        missed = await miss(desk, (await desk.sessions(referral))[0])
        await desk.put(missed, status="noshow")
        async with scheduling_db.transaction() as tx:
            ctx = desk.ctx()
            row = await queries.referrals.locked(tx, missed.referral_id)
            assert row is not None
            await use_cases.reconcile_series.make_up(ctx, tx, row)
        assert len(await standing(desk, referral)) == 4


class TestASessionThatWasCalledOff:
    async def test_is_never_booked_again(self, scheduling_db: Database) -> None:
        desk = one_discipline(scheduling_db, sessions={"count": 6})
        referral = await desk.accept(payer="insurer")
        await desk.authorize(referral, units=4)
        gone = (await desk.sessions(referral))[1]
        await desk.put(gone, **cancelled("prov"))
        await desk.authorize(referral, units=6)
        rows = await standing(desk, referral)
        assert len(rows) == 5
        assert gone.starts_at not in {row.starts_at for row in rows}

    async def test_stays_called_off_when_the_grant_lapses_and_comes_back(
        self, scheduling_db: Database
    ) -> None:
        desk = one_discipline(scheduling_db)
        referral = await desk.accept(payer="insurer")
        await desk.authorize(referral, units=4)
        await desk.put((await desk.sessions(referral))[1], **cancelled())
        await desk.authorize(referral, status="pended")
        assert await standing(desk, referral) == []
        await desk.authorize(referral, units=4)
        assert len(await standing(desk, referral)) == 3


class TestAWiderGrant:
    async def test_adds_what_the_course_still_has(self, scheduling_db: Database) -> None:
        desk = a_desk(scheduling_db)
        referral = await granted(desk, pt=3, ot=1)
        before = {row.id for row in await desk.sessions(referral)}
        await desk.authorize(referral, by_discipline={PT: 6, OT: 2, PSY: 2})
        rows = await desk.sessions(referral)
        assert by_discipline(rows) == {PT: 6, OT: 2, PSY: 2}
        assert before < {row.id for row in rows}

    async def test_goes_on_with_a_series_that_was_over(self, scheduling_db: Database) -> None:
        desk = one_discipline(scheduling_db)
        referral = await desk.accept(payer="insurer")
        await desk.authorize(referral, units=2)
        for row in await desk.sessions(referral):
            assert row.ends_at is not None
            await desk.at(row.ends_at)
            await desk.put(row, status="fulfilled")
        await desk.authorize(referral, units=4)
        series = await desk.series(referral)
        assert series is not None
        assert (series.status, len(await standing(desk, referral))) == ("booked", 4)


async def test_the_worklist_names_a_series_that_finds_no_room(scheduling_db: Database) -> None:
    away = a_person("ben", purpose=["session"], absences=[(date(2026, 6, 1), date(2027, 6, 1))])
    desk = Desk(scheduling_db, a_clinic(people=[a_person("ana", purpose=["first"]), away]))
    referral = await desk.accept(payer="insurer")
    await desk.authorize(referral, units=4)
    assert len(await work(desk)) == 1
