"""A referrer books the first visit of its own referral, at what the carve-out leaves to its priority."""

import asyncio
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.scheduling.use_cases.book_visit import CannotBook
from services.scheduling.use_cases.change import VisitOfAnother
from shared.auth.principal import Principal
from shared.auth.scopes import Scopes
from shared.db import Database
from shared.errors import NotFound
from tests.support.booking import BY_PRIORITY, REVIEW, Desk, a_clinic, a_person, local

TUESDAY, THURSDAY, MONDAY_AFTER = date(2026, 6, 2), date(2026, 6, 4), date(2026, 6, 8)
SCOPES = Scopes.parse(["system/Appointment.crs"])
PRACTICE = Principal(client="practice", party="referrer", scopes=SCOPES, organization="practice")
OTHER = Principal(client="other", party="referrer", scopes=SCOPES, organization="other")
# Half of a day is kept for who is more urgent, until three days ahead.
KEPT = {
    **BY_PRIORITY,
    "priorities": {
        **BY_PRIORITY["priorities"],
        "asap": {"days": 5, "at_risk_days": 1, "reserve": 0.5, "kept_until_days": 3},
    },
}


@pytest.fixture
def desk(scheduling_db: Database) -> Desk:
    """A clinic with four first visits a day, that promises a day and plans it in the evening."""
    clinic = a_clinic(
        people=[a_person("ana", end="13:00")],
        guarantee=KEPT,
        visits=[REVIEW],
        scheduling={"policy": "plan", "at_once_below": 0},
    )
    return Desk(scheduling_db, clinic)


async def found(desk: Desk, referral: str, day: date, **more: Any) -> list[dict[str, Any]]:
    return await desk.find(
        local(day, "00:00"),
        local(day, "23:59"),
        **{"referral_id": UUID(referral), "visit": "first", "by": PRACTICE} | more,
    )


class TestAPatient:
    async def test_books_the_own_first_visit_and_sees_nobody_elses(self, desk: Desk) -> None:
        mine, other = await desk.accept(patient_id="mine"), await desk.accept()
        patient = Principal(client="link", party="patient", scopes=SCOPES, patient="mine")
        proposal = (await found(desk, mine, THURSDAY, by=patient))[0]
        assert (await desk.book(proposal, by=patient)).status == "booked"
        with pytest.raises(NotFound):
            await found(desk, other, THURSDAY, by=patient)
        rival = {"basedOn": [{"reference": f"ServiceRequest/{other}"}]}
        with pytest.raises(NotFound):
            await desk.book(proposal, by=patient, **rival)

    async def test_is_offered_what_the_carve_out_leaves_and_books_nothing_else(self, desk: Desk) -> None:
        mine = await desk.accept(patient_id="mine")
        patient = Principal(client="link", party="patient", scopes=SCOPES, patient="mine")
        for _ in range(2):
            other = await desk.accept()
            await desk.book((await found(desk, other, MONDAY_AFTER))[0], by=PRACTICE)
        assert await found(desk, mine, MONDAY_AFTER, by=patient) == []
        assert await found(desk, mine, THURSDAY, by=patient, visit="review") == []


class TestAReferrer:
    async def test_books_the_first_visit_of_its_own_referral(self, desk: Desk) -> None:
        referral = await desk.accept()
        assert (await desk.first(referral)).status == "proposed"
        row = await desk.book((await found(desk, referral, THURSDAY))[0], by=PRACTICE)
        assert (row.status, row.starts_at) == ("booked", local(THURSDAY, "09:00"))
        assert "appointment.booked" in await desk.told()

    async def test_is_offered_what_is_not_kept_for_who_is_more_urgent(self, desk: Desk) -> None:
        routine = await desk.accept(priority="routine")
        for _ in range(2):
            other = await desk.accept(priority="routine")
            await desk.book((await found(desk, other, MONDAY_AFTER))[0], by=PRACTICE)
        assert await found(desk, routine, MONDAY_AFTER) == []
        urgent = await desk.accept(priority="asap", due_on=MONDAY_AFTER)
        [visit] = await desk.appointments(urgent)
        assert visit.status == "booked"
        proposal = (await found(desk, routine, THURSDAY))[0]
        with pytest.raises(CannotBook, match="left of 2026-06-08 is kept for patients who are more urgent"):
            await desk.book(
                proposal,
                by=PRACTICE,
                start=local(MONDAY_AFTER, "12:00").isoformat(),
                end=None,
            )

    async def test_what_was_kept_and_nobody_wanted_is_for_everybody_in_time(self, desk: Desk) -> None:
        routine = await desk.accept()
        for _ in range(2):
            await desk.book((await found(desk, await desk.accept(), MONDAY_AFTER))[0], by=PRACTICE)
        assert await found(desk, routine, MONDAY_AFTER) == []
        desk.clock.set(local(THURSDAY, "20:00") + timedelta(days=1))
        assert len(await found(desk, routine, MONDAY_AFTER)) > 0

    async def test_of_five_at_once_no_more_book_than_the_carve_out_leaves(self, desk: Desk) -> None:
        referrals = [await desk.accept() for _ in range(5)]
        proposals = [
            (await found(desk, one, MONDAY_AFTER))[number] for number, one in enumerate(referrals[:2])
        ]
        starts = ["09:00", "10:00", "11:00", "12:00", "09:00"]
        wanted = [
            {
                **proposals[0],
                "basedOn": [{"reference": f"ServiceRequest/{one}"}],
                "start": local(MONDAY_AFTER, start).isoformat(),
                "end": None,
            }
            for one, start in zip(referrals, starts, strict=True)
        ]
        results = await asyncio.gather(
            *(desk.book(one, by=PRACTICE) for one in wanted), return_exceptions=True
        )
        assert sum(not isinstance(one, BaseException) for one in results) == 2
        assert sum(isinstance(one, CannotBook) for one in results) == 3

    async def test_keeps_the_notice_and_the_second_promise(self, desk: Desk) -> None:
        referral = await desk.accept()
        proposal = (await found(desk, referral, THURSDAY))[0]
        assert await found(desk, referral, date(2026, 6, 1)) == []
        with pytest.raises(CannotBook, match="needs notice: the first time is 2026-06-02 00:00"):
            await desk.book(
                proposal, by=PRACTICE, start=local(date(2026, 6, 1), "11:00").isoformat(), end=None
            )
        with pytest.raises(CannotBook, match="A first visit is booked before"):
            await desk.book(
                proposal, by=PRACTICE, start=local(date(2026, 9, 1), "11:00").isoformat(), end=None
            )

    async def test_books_nothing_else_and_nothing_of_another_practice(self, desk: Desk) -> None:
        referral = await desk.accept()
        first = (await found(desk, referral, THURSDAY))[0]
        assert await found(desk, referral, THURSDAY, visit="review") == []
        review = (
            await desk.find(
                local(THURSDAY, "00:00"), local(THURSDAY, "23:59"), referral_id=UUID(referral), visit="review"
            )
        )[0]
        with pytest.raises(VisitOfAnother, match="first visits are booked, and nothing else"):
            await desk.book(review, by=PRACTICE)
        with pytest.raises(NotFound):
            await desk.book(first, by=OTHER)
        with pytest.raises(NotFound):
            await found(desk, referral, THURSDAY, by=OTHER)

    async def test_changes_no_visit_but_its_own_hold(self, desk: Desk) -> None:
        referral = await desk.accept()
        held = await desk.hold((await found(desk, referral, THURSDAY))[0], by=PRACTICE)
        booked = await desk.book_hold(held, by=PRACTICE)
        assert booked.status == "booked"
        with pytest.raises(VisitOfAnother):
            await desk.book_hold(booked, by=PRACTICE)

    async def test_does_not_move_what_is_booked(self, desk: Desk) -> None:
        referral = await desk.accept()
        proposal = (await found(desk, referral, THURSDAY))[0]
        await desk.book(proposal, by=PRACTICE)
        with pytest.raises(CannotBook, match="The first appointment is booked for 2026-06-04 09:00"):
            await desk.book((await found(desk, referral, THURSDAY))[0], by=PRACTICE)
