"""Holds: a time is somebody's until the hold expires, and of all who want it then one gets it."""

import asyncio
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest

from services.scheduling import use_cases
from services.scheduling.models.rows import Appointment
from services.scheduling.rules.correction import CannotCorrect
from services.scheduling.rules.moving import CannotMove
from services.scheduling.use_cases.book_visit import CannotBook, NoOverbooking
from services.scheduling.use_cases.change import HeldByAnother
from shared.db import Database
from shared.errors import NotFound
from tests.support.booking import COORDINATOR, REVIEW, Desk, a_clinic, a_person, local

THURSDAY = date(2026, 6, 4)
COLLEAGUE = replace(COORDINATOR, client="second-desk")
ELSEWHERE = replace(COORDINATOR, client="elsewhere", site="ottawa")
FEW_MINUTES = timedelta(minutes=10)
CALL = {"id": "call", "name": "Call", "kind": "telehealth", "minutes": 30, "disciplines": ["physiotherapy"]}
CANCELLATIONS = "http://terminology.hl7.org/CodeSystem/appointment-cancellation-reason"


@pytest.fixture
def desk(scheduling_db: Database) -> Desk:
    clinic = a_clinic(people=[a_person("ana", end="12:00")], visits=[REVIEW, CALL], rooms=1)
    overbooks = clinic.clients[0].model_copy(update={"overbooks": True})
    return Desk(scheduling_db, clinic.model_copy(update={"clients": (overbooks,)}))


async def found(desk: Desk, referral: str, visit: str = "review") -> dict[str, Any]:
    """The earliest time of a visit on Thursday."""
    times = await desk.find(
        local(THURSDAY, "00:00"), local(THURSDAY, "23:59"), referral_id=UUID(referral), visit=visit
    )
    return times[0]


async def row_of(desk: Desk, row: Appointment) -> Appointment:
    async with desk.database.transaction() as tx:
        again = await tx.row(Appointment, "SELECT * FROM appointment WHERE id = $1", row.id)
    assert again is not None
    return again


async def live_of(desk: Desk, row: Appointment) -> int:
    async with desk.database.transaction() as tx:
        return int(await tx.value("SELECT count(*) FROM occupancy WHERE appointment = $1 AND live", row.id))


class TestAHold:
    async def test_is_pending_says_until_when_and_is_told_to_nobody(self, desk: Desk) -> None:
        referral = await desk.accept()
        told = await desk.told()
        row = await desk.hold(await found(desk, referral))
        body = msgspec.json.decode(row.body)
        until = (desk.now + FEW_MINUTES).isoformat(timespec="seconds").replace("+00:00", "Z")
        assert (body["status"], body["extension"][0]["valueInstant"]) == ("pending", until)
        assert await desk.told() == told

    async def test_is_not_shown_and_cannot_be_booked_by_anybody_else(self, desk: Desk) -> None:
        referral, other = await desk.accept(), await desk.accept()
        proposal, rival = await found(desk, referral), await found(desk, other)
        held = await desk.hold(proposal)
        assert (await found(desk, other))["start"] > proposal["start"]
        with pytest.raises(CannotBook, match=r"P\. Ana has another appointment until 2026-06-04 09:30"):
            await desk.book(rival)
        with pytest.raises(HeldByAnother, match="Somebody else holds this time until"):
            await desk.book_hold(held, by=COLLEAGUE)
        with pytest.raises(NotFound):
            await desk.book_hold(held, by=ELSEWHERE)
        assert (await row_of(desk, held)).status == "pending"

    async def test_is_booked_by_who_holds_it(self, desk: Desk) -> None:
        referral = await desk.accept()
        held = await desk.hold(await found(desk, referral))
        await desk.at(desk.now + FEW_MINUTES - timedelta(seconds=1))
        booked = await desk.book_hold(held)
        assert (booked.id, booked.status, booked.held_until) == (held.id, "booked", None)
        assert (await desk.told())[-1] == "appointment.booked"
        await desk.at(desk.now + timedelta(hours=1))
        assert ((await row_of(desk, held)).status, await live_of(desk, held)) == ("booked", 3)

    async def test_of_a_first_visit_gives_its_time_to_the_first_appointment(self, desk: Desk) -> None:
        referral = await desk.accept(due_on=date(2026, 6, 1))
        waiting = await desk.first(referral)
        assert waiting.status == "waitlist"
        held = await desk.hold(await found(desk, referral, "first"))
        booked = await desk.book_hold(held)
        assert (booked.id, booked.status, booked.starts_at) == (waiting.id, "booked", held.starts_at)
        assert (await row_of(desk, held)).status == "cancelled"

    async def test_is_let_go_by_who_holds_it_and_told_to_nobody(self, desk: Desk) -> None:
        referral = await desk.accept()
        held = await desk.hold(await found(desk, referral))
        told = await desk.told()
        reason = {"coding": [{"system": CANCELLATIONS, "code": "other"}]}
        gone = await desk.put(held, status="cancelled", cancelationReason=reason)
        assert (gone.status, await live_of(desk, held), await desk.told()) == ("cancelled", 0, told)

    async def test_ends_with_its_referral(self, desk: Desk) -> None:
        referral = await desk.accept()
        held = await desk.hold(await found(desk, referral))
        await desk.end(referral)
        assert ((await row_of(desk, held)).status, await live_of(desk, held)) == ("cancelled", 0)


class TestAHoldThatExpires:
    async def test_gives_its_time_back_and_cannot_be_booked_any_more(self, desk: Desk) -> None:
        referral = await desk.accept()
        held = await desk.hold(await found(desk, referral))
        await desk.at(desk.now + FEW_MINUTES)
        row = await row_of(desk, held)
        assert (row.status, await live_of(desk, held)) == ("cancelled", 0)
        with pytest.raises(CannotMove, match="The hold has expired at 2026-06-01 08:10"):
            await desk.book_hold(held)

    async def test_is_not_booked_by_correcting_its_end(self, desk: Desk) -> None:
        held = await desk.hold(await found(desk, await desk.accept()))
        await desk.at(desk.now + FEW_MINUTES)
        with pytest.raises(CannotCorrect, match="nothing was recorded of it"):
            await desk.correct(held, "booked")
        assert (await row_of(desk, held)).status == "cancelled"

    async def test_blocks_nobody_while_its_timer_is_late(self, desk: Desk) -> None:
        referral, other = await desk.accept(), await desk.accept()
        proposal = await found(desk, referral)
        held = await desk.hold(proposal)
        desk.clock.set(desk.now + FEW_MINUTES)  # and no timer fires
        rival = await found(desk, other)
        assert rival["start"] == proposal["start"]
        with pytest.raises(CannotMove, match="The hold has expired"):
            await desk.book_hold(held)
        booked = await desk.book(rival)
        assert (booked.status, await live_of(desk, held)) == ("booked", 0)
        assert (await row_of(desk, held)).status == "cancelled"

    async def test_a_late_timer_blocks_no_series_and_no_first_visit(self, desk: Desk) -> None:
        referral = await desk.accept(due_on=date(2026, 6, 1))
        first = await found(desk, referral, "first")
        await desk.hold(first)
        desk.clock.set(local(THURSDAY, "07:00") - timedelta(days=1))
        next_one = await desk.accept(due_on=THURSDAY)
        assert (await desk.first(next_one)).starts_at == local(THURSDAY, "09:00")

    @pytest.mark.parametrize("late", [timedelta(), timedelta(seconds=-1)])
    async def test_of_expiry_and_booking_one_wins(self, desk: Desk, late: timedelta) -> None:
        referral, other = await desk.accept(), await desk.accept()
        held = await desk.hold(await found(desk, referral))
        rival = {**await found(desk, other), "start": held_start(held), "end": held_end(held)}
        desk.clock.set(desk.now + FEW_MINUTES + late)
        results = await asyncio.gather(desk.book_hold(held), desk.book(rival), return_exceptions=True)
        booked = [one for one in results if isinstance(one, Appointment)]
        assert len(booked) == 1
        assert booked[0].referral_id == UUID(referral if late else other)

    async def test_a_hold_that_lost_one_of_its_resources_is_not_booked(self, desk: Desk) -> None:
        referral, other = await desk.accept(), await desk.accept()
        held = await desk.hold(await found(desk, referral))
        call = {**await found(desk, other, "call"), "start": held_start(held), "end": held_end(held)}
        before = desk.now
        desk.clock.set(before + FEW_MINUTES)
        async with desk.database.transaction() as tx:
            ctx = desk.ctx(principal=COORDINATOR)
            wanted = _proposal(call)
            await use_cases.book_visit.run(ctx, tx, wanted)
        with pytest.raises(CannotMove, match="The hold has expired"):
            await desk.book_hold(held, at=before)  # by another replica, whose clock is behind


class TestOverbooking:
    async def test_takes_the_second_lane_of_the_clinician_and_another_room(self, desk: Desk) -> None:
        referral, other, third = await desk.accept(), await desk.accept(), await desk.accept()
        proposal = await found(desk, referral, "call")
        rivals = [{**proposal, "basedOn": [{"reference": f"ServiceRequest/{one}"}]} for one in (other, third)]
        await desk.book(proposal)
        row = await overbooked(desk, rivals[0])
        assert (row.starts_at, row.overbooked_because) == (local(THURSDAY, "09:00"), "She cannot wait.")
        with pytest.raises(CannotBook, match=r"P\. Ana has another appointment until"):
            await overbooked(desk, rivals[1])

    async def test_where_the_first_lane_is_free_that_is_taken(self, desk: Desk) -> None:
        row = await overbooked(desk, await found(desk, await desk.accept(), "call"))
        assert row.overbooked_because is None

    async def test_leaves_room_and_patient_exclusive(self, desk: Desk) -> None:
        referral, other = await desk.accept(), await desk.accept()
        proposal = await found(desk, referral)
        await desk.book(proposal)
        with pytest.raises(CannotBook, match="assessment and every other such room is taken until"):
            await overbooked(desk, {**proposal, "basedOn": [{"reference": f"ServiceRequest/{other}"}]})
        call = {**await found(desk, referral, "call"), "start": proposal["start"], "end": proposal["end"]}
        with pytest.raises(CannotBook, match="The patient has another appointment until"):
            await overbooked(desk, call)

    async def test_is_a_right_that_the_clinic_gives(self, desk: Desk) -> None:
        proposal = await found(desk, await desk.accept(), "call")
        with pytest.raises(NoOverbooking):
            await overbooked(desk, proposal, client="second-desk")

    async def test_moves_to_a_first_lane_only(self, desk: Desk) -> None:
        referral, other, third = await desk.accept(), await desk.accept(), await desk.accept()
        proposal = await found(desk, referral, "call")
        await desk.book(proposal)
        await desk.book(await found(desk, third, "call"))
        row = await overbooked(desk, {**proposal, "basedOn": [{"reference": f"ServiceRequest/{other}"}]})
        with pytest.raises(CannotMove, match=r"P\. Ana has another appointment until 2026-06-04 10:00"):
            await desk.put(row, start="2026-06-04T13:30:00Z", end="2026-06-04T14:00:00Z")
        moved = await desk.put(row, start="2026-06-04T14:00:00Z", end="2026-06-04T14:30:00Z")
        assert moved.overbooked_because is None


def held_start(held: Appointment) -> str:
    return str(msgspec.json.decode(held.body)["start"])


def held_end(held: Appointment) -> str:
    return str(msgspec.json.decode(held.body)["end"])


def _proposal(resource: dict[str, Any]) -> Any:
    from services.scheduling import fhir
    from tests.support.context import a_context

    return fhir.proposals.read(resource, urls=a_context(service="scheduling").urls)


async def overbooked(desk: Desk, proposal: dict[str, Any], *, client: str = "coordinator") -> Appointment:
    ctx = desk.ctx(principal=replace(COORDINATOR, client=client))
    wanted = replace(_proposal(proposal), overbooked_because="She cannot wait.")
    async with desk.database.transaction() as tx:
        return await use_cases.book_visit.run(ctx, tx, wanted)
