"""For a patient who has died everything still to come is called off, and nothing is booked any more."""

from dataclasses import replace
from datetime import date
from typing import Any

import msgspec
import pytest

from shared.db import Database
from shared.errors import Conflict
from shared.events.envelope import Event
from shared.ids import new_text_id
from tests.support.booking import Desk, a_clinic, a_person, accepted, local
from tests.support.booking.heard import an_event

TUESDAY = date(2026, 6, 2)


def changed(desk: Desk, patient: str, *, version: int = 1, **details: Any) -> Event:
    """Make `patient.changed` as `referral` publishes it."""
    event = an_event("patient.changed", {"resourceType": "Patient", "id": patient, **details}, at=desk.now)
    return replace(event, version=version)


async def die(desk: Desk, patient: str, *, version: int = 1) -> None:
    await desk.hear(changed(desk, patient, version=version, deceasedDateTime="2026-06-01"))
    await desk.settle()


async def left(desk: Desk) -> tuple[int, int]:
    """Count what is taken and what is due."""
    async with desk.database.transaction() as tx:
        taken = await tx.value("SELECT count(*) FROM occupancy WHERE live")
        return int(taken), int(await tx.value("SELECT count(*) FROM timer"))


@pytest.fixture
def desk(scheduling_db: Database) -> Desk:
    return Desk(scheduling_db, a_clinic())


class TestWhoHasDied:
    async def test_has_nothing_booked_any_more_and_every_time_is_free(self, desk: Desk) -> None:
        patient = new_text_id()
        referral = await desk.accept(patient_id=patient, payer="insurer")
        await desk.authorize(referral)
        await die(desk, patient)
        first = await desk.first(referral)
        assert (first.status, first.reason_code) == ("cancelled", "pat-dec")
        assert [reason.code for reason in first.reasons] == ["patient-died"]
        assert await desk.sessions(referral) == []
        assert (await desk.guarantee(referral)).status == "ended"
        assert await left(desk) == (0, 0)
        assert (await desk.told())[-3:] == ["appointment.cancelled", "series.suspended", "booking.ended"]

    async def test_leaves_the_waitlist(self, scheduling_db: Database) -> None:
        desk = Desk(scheduling_db, a_clinic(people=[a_person("ana", days=["tue"], end="10:00")]))
        await desk.accept(due_on=date(2026, 6, 5))
        patient = new_text_id()
        waits = await desk.accept(patient_id=patient, due_on=date(2026, 6, 5))
        await die(desk, patient)
        assert (await desk.first(waits)).status == "cancelled"
        assert (await desk.told())[-2:] == ["waitlist.left", "booking.ended"]

    async def test_is_ended_in_every_referral_and_nobody_elses(self, desk: Desk) -> None:
        patient = new_text_id()
        mine = [await desk.accept(patient_id=patient) for _ in range(2)]
        other = await desk.accept()
        await die(desk, patient)
        assert [(await desk.first(referral)).status for referral in mine] == ["cancelled", "cancelled"]
        assert (await desk.first(other)).status == "booked"

    async def test_has_the_reason_in_the_guarantee_though_it_was_met(self, desk: Desk) -> None:
        patient = new_text_id()
        referral = await desk.accept(patient_id=patient)
        await desk.at(local(TUESDAY, "09:30"))
        await desk.put(await desk.first(referral), status="fulfilled")
        await die(desk, patient)
        guarantee = await desk.guarantee(referral)
        assert guarantee.status == "met"
        stated = msgspec.json.decode(guarantee.body)["statusReason"]
        assert stated["coding"][0]["code"] == "patient-died"
        (ended,) = await desk.carried("booking.ended")
        assert ended.focus["statusReason"] == stated

    async def test_keeps_a_visit_that_is_over_and_can_still_be_recorded(self, desk: Desk) -> None:
        patient = new_text_id()
        referral = await desk.accept(patient_id=patient)
        await desk.at(local(TUESDAY, "11:00"))
        await die(desk, patient)
        row = await desk.first(referral)
        assert row.status == "booked"
        await desk.put(row, status="noshow")
        assert [row.status for row in await desk.appointments(referral)] == ["noshow"]

    async def test_is_told_once_however_often_it_is_said(self, desk: Desk) -> None:
        patient = new_text_id()
        await desk.accept(patient_id=patient)
        await die(desk, patient)
        told = await desk.told()
        await die(desk, patient)
        await die(desk, patient, version=2)
        assert await desk.told() == told

    async def test_gets_nothing_for_a_referral_that_is_accepted_later(self, desk: Desk) -> None:
        patient, referral = new_text_id(), new_text_id()
        await die(desk, patient)
        event = accepted(referral, at=desk.now, patient_id=patient)
        await desk.hear(event)
        await desk.settle()
        first = await desk.first(referral)
        assert (first.status, first.starts_at) == ("cancelled", None)
        assert (await desk.guarantee(referral)).status == "ended"
        assert await left(desk) == (0, 0)
        assert await desk.told() == ["waitlist.left", "booking.ended"]
        await desk.hear(event)
        assert await desk.told() == ["waitlist.left", "booking.ended"]

    async def test_gets_no_sessions_by_a_grant_that_comes_later(self, desk: Desk) -> None:
        patient = new_text_id()
        referral = await desk.accept(patient_id=patient, payer="insurer")
        await die(desk, patient)
        await desk.authorize(referral)
        assert await desk.sessions(referral) == []

    async def test_is_not_booked_by_a_person_either(self, desk: Desk) -> None:
        patient, referral = new_text_id(), new_text_id()
        await die(desk, patient)
        await desk.hear(accepted(referral, at=desk.now, patient_id=patient))
        row = await desk.first(referral)
        with pytest.raises(Conflict):
            await desk.put(row, status="booked", start=local(TUESDAY, "09:00").isoformat())

    async def test_in_one_batch_the_others_are_booked(self, desk: Desk) -> None:
        patient, mine, other = new_text_id(), new_text_id(), new_text_id()
        await die(desk, patient)
        await desk.hear_together(
            [accepted(mine, at=desk.now, patient_id=patient), accepted(other, at=desk.now)]
        )
        assert (await desk.first(mine)).status == "cancelled"
        assert (await desk.first(other)).status == "booked"


class TestWhoLives:
    async def test_keeps_everything_when_something_else_changes(self, desk: Desk) -> None:
        patient = new_text_id()
        referral = await desk.accept(patient_id=patient)
        told = await desk.told()
        await desk.hear(changed(desk, patient, telecom=[{"system": "phone", "value": "1"}]))
        await desk.hear(changed(desk, patient, version=2, deceasedBoolean=False))
        assert (await desk.told(), (await desk.first(referral)).status) == (told, "booked")

    async def test_after_all_is_booked_again_when_the_next_referral_comes(self, desk: Desk) -> None:
        patient = new_text_id()
        await die(desk, patient)
        await desk.hear(changed(desk, patient, version=2, deceasedBoolean=False))
        assert (await desk.first(await desk.accept(patient_id=patient))).status == "booked"

    async def test_is_not_taken_for_dead_by_an_older_event(self, desk: Desk) -> None:
        patient = new_text_id()
        referral = await desk.accept(patient_id=patient)
        await desk.hear(changed(desk, patient, version=3))
        await die(desk, patient, version=2)
        assert (await desk.first(referral)).status == "booked"


class TestRecordsOfOnePerson:
    """Of a death that only one of two merged records knew, people decide; of a new one nobody waits."""

    def linked(self, desk: Desk, living: str, dead: str) -> list[Any]:
        there = [{"other": {"reference": f"Patient/{dead}"}, "type": "replaced-by"}]
        return [
            changed(desk, living, version=2, link=there),
            changed(desk, dead, version=2, deceasedDateTime="2026-06-01"),
        ]

    @pytest.mark.parametrize("order", [1, -1])
    async def test_a_merge_with_one_who_has_died_calls_off_nothing_whichever_is_heard_first(
        self, desk: Desk, order: int
    ) -> None:
        living, dead = new_text_id(), new_text_id()
        referral = await desk.accept(patient_id=living, payer="insurer")
        await die(desk, dead)
        for event in self.linked(desk, living, dead)[::order]:
            await desk.hear(event)
        await desk.settle()
        assert (await desk.first(referral)).status == "booked"

    async def test_a_death_that_is_said_after_the_merge_calls_off_what_is_on_the_other_record(
        self, desk: Desk
    ) -> None:
        living, goes_on = new_text_id(), new_text_id()
        referral = await desk.accept(patient_id=living, payer="insurer")
        there = [{"other": {"reference": f"Patient/{goes_on}"}, "type": "replaced-by"}]
        await desk.hear(changed(desk, living, version=1, link=there))
        await die(desk, goes_on)
        await desk.settle()
        assert (await desk.first(referral)).status == "cancelled"
