"""A freed first visit is offered to patients who have a later one: a few at once, the first yes wins."""

import asyncio
import time
from datetime import date, timedelta
from typing import Any

import pytest

from services.scheduling import use_cases
from services.scheduling.models.offers import TimeOffer
from services.scheduling.models.rows import Appointment
from services.scheduling.use_cases.answer_offer import OfferOver
from shared.db import Database
from shared.errors import Conflict, NotFound
from tests.support.booking import COORDINATOR, Desk, a_clinic, a_person, local
from tests.support.booking.offers import CALLED_OFF, answer, offers, rounds, state_of
from tests.support.sql import sql

TUESDAY = date(2026, 6, 2)


@pytest.fixture
def desk(scheduling_db: Database) -> Desk:
    """One clinician with two first visits a day, from Tuesday on, at a clinic that offers freed times."""
    ana = a_person("ana", start="09:00", end="11:00", purpose=["first"])
    return Desk(scheduling_db, a_clinic(people=[ana], payer_asks=False, scheduling={"offers": {}}))


async def book(desk: Desk, number: int) -> list[Appointment]:
    """Book first visits, two a day."""
    return [await desk.first(await desk.accept()) for _ in range(number)]


async def freed(desk: Desk, number: int = 9) -> list[Appointment]:
    """Let the first of these visits be called off on the morning before, and the next be asked."""
    rows = await book(desk, number)
    await desk.at(local(date(2026, 6, 1), "10:00"))
    # Who called off gets another time at once, which is not what is looked at here.
    await desk.put(rows[0], **CALLED_OFF)
    await desk.at(local(date(2026, 6, 1), "10:05"))
    return rows


class TestAFreedTime:
    async def test_is_offered_to_three_who_would_gain_most_and_held_for_them(self, desk: Desk) -> None:
        rows = await freed(desk)
        made = await offers(desk)
        assert len(made) == 3
        assert {one.starts_at for one in made} == {rows[0].starts_at}
        assert {one.due_at for one in made} == {local(date(2026, 6, 1), "11:05")}
        latest = sorted((row.starts_at for row in rows if row.starts_at), reverse=True)[:4]
        assert {one.had_start for one in made} <= set(latest)
        assert (await desk.told())[-3:] == ["offer.made"] * 3
        assert rows[0].starts_at is not None
        with pytest.raises(Conflict, match="until"):
            await desk.put(rows[8], start=rows[0].starts_at.isoformat(), end=None)

    async def test_is_had_by_the_first_yes_and_the_others_keep_their_day(self, desk: Desk) -> None:
        rows = await freed(desk)
        first, second, third = await offers(desk)
        done = await answer(desk, first, "accept")
        assert (done.status, (await rounds(desk))[0].status) == ("completed", "taken")
        moved = await state_of(desk, first.appointment_id)
        assert (moved.starts_at, moved.status, moved.practitioner) == (rows[0].starts_at, "booked", "ana")
        assert [one.ended_because[0].code for one in await offers(desk, "cancelled")] == ["offer-taken"] * 2
        for other in (second, third):
            assert (await state_of(desk, other.appointment_id)).starts_at == other.had_start
            with pytest.raises(OfferOver, match="Somebody else has taken the time"):
                await answer(desk, other, "accept")
        told = await desk.told()
        assert told.count("offer.accepted") == 1
        assert told.count("offer.ended") == 2
        assert told.count("appointment.moved") == 1
        assert (await answer(desk, first, "accept")).version == done.version

    async def test_is_had_once_where_two_say_yes_at_the_same_moment(self, desk: Desk) -> None:
        await freed(desk)
        made = await offers(desk)
        results = await asyncio.gather(*(answer(desk, one, "accept") for one in made), return_exceptions=True)
        assert sum(isinstance(one, TimeOffer) for one in results) == 1
        assert sum(isinstance(one, OfferOver) for one in results) == 2, results
        assert len(await offers(desk, "completed")) == 1

    async def test_is_offered_to_the_next_where_nobody_answers_or_all_say_no(self, desk: Desk) -> None:
        await freed(desk)
        asked = {one.patient_id for one in await offers(desk)}
        for one in await offers(desk):
            assert (await answer(desk, one, "decline")).status == "rejected"
        await desk.settle()
        again = await offers(desk)
        assert len(again) == 3
        assert not asked & {one.patient_id for one in again}
        await desk.at(local(date(2026, 6, 1), "11:05"))
        assert [one.ended_because[0].code for one in await offers(desk, "cancelled")] == [
            "offer-unanswered"
        ] * 3

    async def test_is_anybodys_again_where_nobody_is_left_to_ask(self, desk: Desk) -> None:
        rows = await freed(desk, 5)
        for _ in range(3):
            for one in await offers(desk):
                await answer(desk, one, "decline")
            await desk.settle()
        assert [one.status for one in await rounds(desk)] == ["left"]
        assert rows[0].starts_at is not None
        await desk.put(rows[4], start=rows[0].starts_at.isoformat(), end=None)

    async def test_is_offered_by_day_only_and_ends_two_hours_before(self, desk: Desk) -> None:
        rows = await book(desk, 9)
        await desk.at(local(date(2026, 6, 1), "21:00"))
        await desk.put(rows[4], **CALLED_OFF)
        await desk.at(local(date(2026, 6, 1), "23:00"))
        assert await offers(desk) == []
        await desk.at(local(TUESDAY, "09:00"))
        assert len(await offers(desk)) == 3
        soon = await book(desk, 1)
        assert rows[2].starts_at is not None
        assert soon
        await desk.at(rows[2].starts_at - timedelta(hours=2, minutes=10))
        before = len(await rounds(desk))
        await desk.put(rows[2], **CALLED_OFF)
        assert len(await rounds(desk)) == before

    async def test_goes_without_a_question_to_who_has_no_day(self, scheduling_db: Database) -> None:
        ana = a_person("ana", days=["tue"], start="09:00", end="11:00", purpose=["first"])
        clinic = a_clinic(people=[ana], payer_asks=False, scheduling={"offers": {}})
        desk = Desk(scheduling_db, clinic)
        booked = [await desk.first(await desk.accept(due_on=date(2026, 6, 10))) for _ in range(4)]
        waits = await desk.first(await desk.accept(due_on=date(2026, 6, 10)))
        assert waits.status == "waitlist"
        await desk.put(booked[0], **CALLED_OFF)
        await desk.at(desk.now + timedelta(minutes=6))
        assert (await state_of(desk, waits.id)).status == "booked"
        assert await offers(desk) == []
        assert [one.status for one in await rounds(desk)] == ["filled"]

    async def test_is_not_offered_where_the_clinic_does_not_say_so(self, scheduling_db: Database) -> None:
        desk = Desk(scheduling_db, a_clinic(payer_asks=False))
        [row] = await book(desk, 1)
        await desk.put(row, **CALLED_OFF)
        assert await rounds(desk) == []


class TestAnOffer:
    async def test_ends_where_its_visit_is_changed(self, desk: Desk) -> None:
        await freed(desk)
        offer, *_ = await offers(desk)
        await desk.put(await state_of(desk, offer.appointment_id), **CALLED_OFF)
        [ended] = await offers(desk, "cancelled")
        assert (ended.id, ended.ended_because[0].code) == (offer.id, "visit-changed-since")
        with pytest.raises(OfferOver):
            await answer(desk, offer, "accept")

    async def test_ends_with_its_hour(self, desk: Desk) -> None:
        await freed(desk)
        offer, *_ = await offers(desk)
        await desk.at(offer.due_at)
        with pytest.raises(OfferOver):
            await answer(desk, offer, "accept")

    async def test_is_not_made_to_who_cannot_come_then(self, desk: Desk) -> None:
        rows = await book(desk, 5)
        async with desk.database.transaction() as tx:
            away = [["2026-06-02T00:00:00+00:00", "2026-06-03T00:00:00+00:00"]]
            await sql(
                tx,
                "UPDATE referral SET unavailable = :away WHERE id = :id",
                away=away,
                id=rows[4].referral_id,
            )
        await desk.at(local(date(2026, 6, 1), "10:00"))
        await desk.put(rows[0], **CALLED_OFF)
        await desk.at(local(date(2026, 6, 1), "10:05"))
        made = await offers(desk)
        assert made
        assert rows[4].patient_id not in {one.patient_id for one in made}

    async def test_of_another_site_is_not_there(self, desk: Desk) -> None:
        await freed(desk)
        offer, *_ = await offers(desk)
        other = COORDINATOR.__class__(
            client="elsewhere", party="coordinator", scopes=COORDINATOR.scopes, site="elsewhere"
        )
        with pytest.raises(NotFound):
            await answer(desk, offer, "accept", by=other)

    async def test_taken_frees_the_old_time_for_the_next(self, desk: Desk) -> None:
        await freed(desk)
        offer, *_ = await offers(desk)
        await answer(desk, offer, "accept")
        assert [one.starts_at for one in await rounds(desk)][1:] == [offer.had_start]


class TestSpeed:
    async def test_a_round_over_a_thousand_takes_less_than_a_second(self, desk: Desk) -> None:
        rows = await book(desk, 3)
        async with desk.database.transaction() as tx:
            await _copies(tx, "referral", rows[2].referral_id, 1000)
            await _copies(tx, "appointment", rows[2].id, 1000)
        await desk.at(local(date(2026, 6, 1), "10:00"))
        await desk.put(rows[0], **CALLED_OFF)
        [one] = await rounds(desk)
        desk.clock = desk.clock.__class__(local(date(2026, 6, 1), "10:05"))
        began = time.perf_counter()
        async with desk.database.transaction() as tx:
            await use_cases.offer_rounds.run(desk.ctx(), tx, one.id)
        took = time.perf_counter() - began
        assert len(await offers(desk)) == 3
        assert took < 1


async def _copies(tx: Any, table: str, id: Any, number: int) -> None:
    """Copy a row many times, each of a referral and of a patient of its own."""
    names = [
        str(row[0])
        for row in await tx.records(
            "SELECT column_name FROM information_schema.columns WHERE table_name = $1", table
        )
    ]
    new = {
        "id": f"md5('{table}' || n)::uuid",
        "referral_id": "md5('referral' || n)::uuid",
        "patient_id": "'patient-' || n",
        "starts_at": "starts_at + n * interval '1 hour' + interval '30 days'",
        "ends_at": "ends_at + n * interval '1 hour' + interval '30 days'",
    }
    values = ", ".join(new.get(name, name) for name in names)
    statement = (
        f"INSERT INTO {table} ({', '.join(names)}) SELECT {values}"
        f" FROM {table}, generate_series(1, {number}) AS n WHERE id = $1"
    )
    await tx.run(statement, id)
