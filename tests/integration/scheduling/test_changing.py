"""People change appointments; a refusal names what stands in the way, and nothing is written."""

import asyncio
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import msgspec
import pytest

from services.scheduling import use_cases
from services.scheduling.models.rows import Appointment
from shared.db import Database
from shared.errors import Conflict, Invalid, NotFound, Refusal
from shared.events.catalog.scheduling import AppointmentCancelled
from shared.reasons import Reason, Reference, as_written
from tests.support.booking import COORDINATOR, Desk, a_clinic, a_person, local

WEDNESDAY = date(2026, 6, 3)
PAT = [{"system": "http://terminology.hl7.org/CodeSystem/appointment-cancellation-reason", "code": "pat"}]


@pytest.fixture
def desk(scheduling_db: Database) -> Desk:
    return Desk(scheduling_db, a_clinic())


async def refused(desk: Desk, referral: str, kind: type[Refusal], **changes: Any) -> Refusal:
    """Try a change, see that it is refused and that nothing was written."""
    before = await desk.first(referral)
    told = await desk.told()
    with pytest.raises(kind) as refusal:
        await desk.put(before, **changes)
    after = await desk.first(referral)
    assert (after.version, after.body) == (before.version, before.body)
    assert await desk.told() == told
    return refusal.value


async def leave(desk: Desk, row: Appointment) -> Appointment:
    """Record as the coordinator does that the patient left without being seen."""
    async with desk.database.transaction() as tx:
        ctx = desk.ctx(principal=COORDINATOR)
        found = await use_cases.leave_unseen.run(
            ctx, tx, str(row.id), cache=desk.cache, expect=lambda _: None
        )
    await desk.settle()
    return found


async def refused_text(desk: Desk, referral: str, kind: type[Refusal], **changes: Any) -> str:
    """Try a change as `refused` does, and give the text of the refusal."""
    return str(await refused(desk, referral, kind, **changes))


class TestMoving:
    async def test_moves_and_keeps_clinician_and_room(self, desk: Desk) -> None:
        referral = await desk.accept()
        row = await desk.put(
            await desk.first(referral), start=local(WEDNESDAY, "14:00").isoformat(), end=None
        )
        assert (row.starts_at, row.practitioner) == (local(WEDNESDAY, "14:00"), "ana")
        (moved,) = await desk.carried("appointment.moved")
        assert moved.focus["end"] == "2026-06-03T19:00:00Z"

    async def test_may_overlap_its_own_old_time(self, desk: Desk) -> None:
        referral = await desk.accept()
        start = local(date(2026, 6, 2), "09:30")
        row = await desk.put(await desk.first(referral), start=start.isoformat(), end=None)
        assert row.starts_at == start

    async def test_names_the_clinician_who_is_busy_and_until_when(self, desk: Desk) -> None:
        await desk.accept()
        referral = await desk.accept()
        start = local(date(2026, 6, 2), "09:30").isoformat()
        refusal = await refused(desk, referral, Conflict, start=start, end=None)
        assert str(refusal) == "P. Ana has another appointment until 2026-06-02 10:00."
        assert refusal.problems[0].reason == Reason.of(
            "person-busy", practitioner=Reference("Practitioner/ana"), until=local(date(2026, 6, 2), "10:00")
        )

    async def test_names_the_room_when_every_one_is_taken(self, scheduling_db: Database) -> None:
        desk = Desk(scheduling_db, a_clinic(people=[a_person("ana"), a_person("ben")], rooms=1))
        await desk.accept()
        referral = await desk.accept()
        start = local(date(2026, 6, 2), "09:00").isoformat()
        text = await refused_text(desk, referral, Conflict, start=start, end=None)
        assert text.endswith("until 2026-06-02 10:00.")

    @pytest.mark.parametrize("wall", ["07:00", "12:00", "11:30", "16:30"])
    async def test_refuses_times_outside_the_hours_and_in_the_meeting(self, desk: Desk, wall: str) -> None:
        referral = await desk.accept()
        start = local(WEDNESDAY, wall).isoformat()
        text = await refused_text(desk, referral, Conflict, start=start, end=None)
        assert text == "P. Ana has no hours for a first visit at this time."

    async def test_refuses_the_past(self, desk: Desk) -> None:
        referral = await desk.accept()
        start = local(date(2026, 5, 29), "09:00").isoformat()
        await refused(desk, referral, Conflict, start=start, end=None)

    @pytest.mark.parametrize("start", ["9999-12-31T23:30:00Z", "0001-01-01T00:00:00+14:00"])
    async def test_refuses_a_start_around_which_no_days_can_be_counted(self, desk: Desk, start: str) -> None:
        refusal = await refused(desk, await desk.accept(), Invalid, start=start, end=None)
        assert [problem.expression for problem in refusal.problems] == ["Appointment.start"]

    async def test_two_who_want_one_time_get_it_once(self, scheduling_db: Database) -> None:
        desk = Desk(scheduling_db, a_clinic(people=[a_person("ana"), a_person("ben")], rooms=1))
        rows = [await desk.first(await desk.accept()) for _ in range(6)]
        start = local(WEDNESDAY, "14:00").isoformat()
        tries = [desk.put(row, start=start, end=None) for row in rows]
        results = await asyncio.gather(*tries, return_exceptions=True)
        assert sum(isinstance(result, Conflict) for result in results) == 5


class TestRecording:
    async def test_nothing_is_fulfilled_or_missed_before_it_begins(self, desk: Desk) -> None:
        referral = await desk.accept()
        for status in ("fulfilled", "noshow", "arrived", "checked-in"):
            text = await refused_text(desk, referral, Conflict, status=status)
            assert "It is too early" in text

    async def test_arrived_is_recorded_on_the_day_and_then_fulfilled(self, desk: Desk) -> None:
        referral = await desk.accept()
        await desk.at(local(date(2026, 6, 2), "08:30"))
        await desk.put(await desk.first(referral), status="arrived")
        await desk.at(local(date(2026, 6, 2), "10:00"))
        await desk.put(await desk.first(referral), status="fulfilled")
        told = await desk.told()
        assert told[1:4] == ["appointment.arrived", "appointment.fulfilled", "guarantee.met"]

    async def test_who_is_in_the_room_had_come_and_is_seen_or_leaves(self, desk: Desk) -> None:
        referral = await desk.accept()
        first = await desk.first(referral)
        assert first.starts_at is not None
        await desk.at(first.starts_at - timedelta(days=1))
        refused = await refused_text(desk, referral, Conflict, status="checked-in")
        assert refused.startswith("It is too early: in the room can be recorded from")
        await desk.at(first.starts_at - timedelta(minutes=10))
        await desk.put(first, status="arrived")
        row = await desk.put(await desk.first(referral), status="checked-in")
        assert (row.status, (await desk.told())[-1]) == ("checked-in", "appointment.checked-in")
        assert (await desk.guarantee(referral)).status == "on-track"
        assert "it can become cancelled, fulfilled, not missed" in await refused_text(
            desk, referral, Conflict, status="noshow"
        )
        await desk.at(first.starts_at)
        await desk.put(row, status="fulfilled")
        assert (await desk.guarantee(referral)).status == "met"

    async def test_who_is_shown_into_the_room_at_once_and_leaves_unseen_is_booked_again(
        self, desk: Desk
    ) -> None:
        referral = await desk.accept()
        await desk.at(local(date(2026, 6, 2), "09:05"))
        row = await desk.put(await desk.first(referral), status="checked-in")
        left = await leave(desk, row)
        assert (left.status, left.reasons) == ("cancelled", [Reason.of("left-unseen")])
        assert (await desk.first(referral)).status == "booked"

    async def test_who_left_without_being_seen_missed_nothing_and_is_booked_again(self, desk: Desk) -> None:
        referral = await desk.accept()
        await desk.at(local(date(2026, 6, 2), "09:05"))
        first = await desk.first(referral)
        with pytest.raises(
            Conflict, match="Nobody has come who could leave without being seen: it is booked"
        ):
            await leave(desk, first)
        assert await desk.first(referral) == first
        left = await leave(desk, await desk.put(first, status="arrived"))
        assert (left.status, left.reasons, left.patient_caused) == (
            "cancelled",
            [Reason.of("left-unseen")],
            False,
        )
        again = await desk.first(referral)
        assert (again.status, again.id) != (left.status, left.id)
        assert again.starts_at is not None
        assert (await desk.told())[-2:] == ["appointment.cancelled", "appointment.booked"]
        assert (await desk.guarantee(referral)).status == "on-track", "it is not met by a visit that was none"
        with pytest.raises(Conflict, match="it is cancelled"):
            await leave(desk, left)

    async def test_what_is_over_stays_over(self, desk: Desk) -> None:
        referral = await desk.accept()
        await desk.at(local(date(2026, 6, 2), "10:00"))
        await desk.put(await desk.first(referral), status="fulfilled")
        text = await refused_text(desk, referral, Conflict, status="noshow")
        assert text == "It is fulfilled and stays so."

    async def test_a_cancellation_says_why(self, desk: Desk) -> None:
        referral = await desk.accept()
        await refused(desk, referral, Invalid, status="cancelled")
        first = await desk.first(referral)
        why = {"coding": PAT, "text": "The child is ill."}
        await desk.put(first, status="cancelled", cancelationReason=why)
        assert (await desk.told())[-2:] == ["appointment.cancelled", "appointment.booked"]
        (cancelled,) = await desk.carried("appointment.cancelled")
        said = AppointmentCancelled.of(cancelled)
        assert said.focus["cancelationReason"]["coding"][0] == PAT[0] | {"display": "Patient"}
        assert (said.reasons, said.cancelled_because) == (
            [as_written("The child is ill.")],
            "The child is ill.",
        )

    async def test_a_code_alone_says_why_in_its_own_words_and_foreign_codings_stay(self, desk: Desk) -> None:
        referral = await desk.accept()
        first = await desk.first(referral)
        foreign = {"system": "https://practice.example/why", "code": "ill"}
        why = {"coding": [{"system": PAT[0]["system"], "code": "prov-pers"}, foreign]}
        cancelled = await desk.put(first, status="cancelled", cancelationReason=why)
        stated = msgspec.json.decode(cancelled.body)["cancelationReason"]
        assert [coding.get("display") for coding in stated["coding"]] == ["Provider: Personal", None]
        assert stated["coding"][1] == foreign
        (told,) = await desk.carried("appointment.cancelled")
        assert AppointmentCancelled.of(told).cancelled_because == "Provider: Personal"

    async def test_an_invented_code_is_refused_where_it_stands(self, desk: Desk) -> None:
        why = {"coding": [{"system": PAT[0]["system"], "code": "pat-invented"}]}
        changes = {"status": "cancelled", "cancelationReason": why}
        refusal = await refused(desk, await desk.accept(), Invalid, **changes)
        assert [problem.expression for problem in refusal.problems] == [
            "Appointment.cancelationReason.coding.code"
        ]

    async def test_the_same_again_changes_nothing(self, desk: Desk) -> None:
        referral = await desk.accept()
        before = await desk.first(referral)
        after = await desk.put(before)
        assert after.version == before.version

    async def test_lists_every_element_that_may_not_change(self, desk: Desk) -> None:
        referral = await desk.accept()
        before = await desk.first(referral)
        with pytest.raises(Invalid) as refusal:
            await desk.put(before, participant=[], comment="late", minutesDuration=30)
        assert [problem.expression for problem in refusal.value.problems] == [
            "Appointment.comment",
            "Appointment.minutesDuration",
            "Appointment.participant",
        ]


class TestWhoMay:
    async def test_a_foreign_appointment_is_not_there(self, desk: Desk) -> None:
        first = await desk.first(await desk.accept())
        stranger = replace(COORDINATOR, site="ottawa")
        async with desk.database.transaction() as tx:
            with pytest.raises(NotFound):
                await use_cases.change.for_caller(desk.ctx(principal=stranger), tx, str(first.id))
