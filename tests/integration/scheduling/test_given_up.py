"""A time that was given up is not offered again to who gave it up, nor with who could not be there."""

from datetime import date
from typing import Any

import pytest

from services.scheduling.models.rows import Appointment
from shared.db import Database
from shared.ids import new_text_id
from tests.support.booking import Desk, a_clinic, a_person, local

TUESDAY = date(2026, 6, 2)
CANCELLATION = "http://terminology.hl7.org/CodeSystem/appointment-cancellation-reason"
ONE_TIME = a_clinic(people=[a_person("ana", days=["tue"], start="09:00", end="10:00")])


def cancelled(code: str) -> dict[str, Any]:
    return {"status": "cancelled", "cancelationReason": {"coding": [{"system": CANCELLATION, "code": code}]}}


async def cancel(desk: Desk, referral: str, code: str) -> Appointment:
    """Cancel the newest first appointment, and give the one that is booked instead."""
    await desk.put(await desk.first(referral), **cancelled(code))
    return await desk.first(referral)


@pytest.fixture
def desk(scheduling_db: Database) -> Desk:
    return Desk(scheduling_db, a_clinic())


@pytest.fixture
def two(scheduling_db: Database) -> Desk:
    return Desk(scheduling_db, a_clinic(people=[a_person("ana"), a_person("ben")]))


class TestThePatientGivesATimeUp:
    @pytest.mark.parametrize("code", ["pat", "pat-cpp", "pat-ucp", "oth-weath"])
    async def test_and_is_booked_at_another(self, desk: Desk, code: str) -> None:
        row = await cancel(desk, await desk.accept(), code)
        assert (row.status, row.starts_at) == ("booked", local(TUESDAY, "10:00"))

    async def test_and_is_not_booked_then_with_somebody_else_either(self, two: Desk) -> None:
        row = await cancel(two, await two.accept(), "pat")
        assert row.starts_at == local(TUESDAY, "10:00")

    async def test_and_the_next_too_and_all_of_them_are_remembered(self, desk: Desk) -> None:
        referral = await desk.accept()
        starts = [(await cancel(desk, referral, "pat")).starts_at for _ in range(3)]
        assert starts == [local(TUESDAY, wall) for wall in ("10:00", "11:00", "12:00")]

    async def test_by_a_move_and_what_is_booked_later_lies_elsewhere(self, desk: Desk) -> None:
        referral = await desk.accept()
        await desk.put(await desk.first(referral), start=local(TUESDAY, "10:00").isoformat(), end=None)
        row = await cancel(desk, referral, "prov")
        assert row.starts_at == local(TUESDAY, "11:00")

    async def test_and_nothing_that_overlaps_it_is_booked(self, desk: Desk) -> None:
        referral = await desk.accept()
        await desk.put(await desk.first(referral), start=local(TUESDAY, "09:30").isoformat(), end=None)
        row = await cancel(desk, referral, "pat")
        assert row.starts_at == local(TUESDAY, "10:30")

    async def test_and_waits_where_it_was_the_only_one_while_others_get_it(
        self, scheduling_db: Database
    ) -> None:
        desk = Desk(scheduling_db, ONE_TIME)
        gives, waits = [await desk.accept(due_on=date(2026, 6, 5 + place)) for place in range(2)]
        assert (await cancel(desk, gives, "pat")).status == "waitlist"
        assert (await desk.first(waits)).starts_at == local(TUESDAY, "09:00")
        await cancel(desk, waits, "pat")
        assert (await desk.first(gives)).status == "waitlist"
        assert (await desk.first(waits)).status == "waitlist"

    async def test_and_it_is_kept_over_a_restart(self, scheduling_db: Database) -> None:
        before = Desk(scheduling_db, a_clinic())
        referral = await before.accept()
        await cancel(before, referral, "pat")
        assert (await cancel(Desk(scheduling_db, a_clinic()), referral, "prov")).starts_at == local(
            TUESDAY, "11:00"
        )

    async def test_and_another_referral_of_the_patient_does_not_get_it(self, desk: Desk) -> None:
        patient = new_text_id()
        gives = await desk.accept(patient_id=patient)
        await cancel(desk, gives, "pat")
        await desk.end(gives, "referral.closed")
        assert (await desk.first(await desk.accept(patient_id=patient))).starts_at == local(TUESDAY, "10:00")
        assert (await desk.first(await desk.accept())).starts_at == local(TUESDAY, "09:00")

    async def test_and_a_person_may_choose_it_again_which_takes_it_back(self, desk: Desk) -> None:
        referral = await desk.accept()
        row = await cancel(desk, referral, "pat")
        await desk.put(row, start=local(TUESDAY, "09:00").isoformat(), end=None)
        assert (await cancel(desk, referral, "oth-room")).starts_at == local(TUESDAY, "09:00")


class TestTheClinicianCannotCome:
    @pytest.mark.parametrize("code", ["prov", "prov-pers", "prov-edu", "other"])
    async def test_and_somebody_else_takes_the_time(self, two: Desk, code: str) -> None:
        row = await cancel(two, await two.accept(), code)
        assert (row.starts_at, row.practitioner) == (local(TUESDAY, "09:00"), "ben")

    async def test_and_the_same_clinician_takes_another_time(self, desk: Desk) -> None:
        row = await cancel(desk, await desk.accept(), "prov")
        assert (row.starts_at, row.practitioner) == (local(TUESDAY, "10:00"), "ana")

    async def test_nor_the_next_one_who_is_asked(self, two: Desk) -> None:
        referral = await two.accept()
        assert (await cancel(two, referral, "prov")).practitioner == "ben"
        row = await cancel(two, referral, "prov")
        assert (row.starts_at, row.practitioner) == (local(TUESDAY, "10:00"), "ana")

    async def test_and_who_waits_is_not_booked_with_them_then(self, scheduling_db: Database) -> None:
        desk = Desk(scheduling_db, ONE_TIME)
        assert (await cancel(desk, await desk.accept(due_on=date(2026, 6, 5)), "prov")).status == "waitlist"


class TestTheRoomCannotBeUsed:
    @pytest.mark.parametrize("code", ["maint", "oth-room"])
    async def test_and_the_visit_is_in_another_at_the_same_time(self, desk: Desk, code: str) -> None:
        row = await cancel(desk, await desk.accept(), code)
        assert (row.starts_at, row.practitioner) == (local(TUESDAY, "09:00"), "ana")
        assert row.room == "assessment-2"

    async def test_and_where_there_is_no_other_at_another_time(self, scheduling_db: Database) -> None:
        desk = Desk(scheduling_db, a_clinic(rooms=1))
        assert (await cancel(desk, await desk.accept(), "oth-room")).starts_at == local(TUESDAY, "10:00")


class TestASeries:
    async def booked(self, desk: Desk) -> str:
        referral = await desk.accept(payer="insurer")
        await desk.authorize(referral, units=2)
        return referral

    async def test_is_booked_anew_beside_the_times_that_its_patient_gave_up(self, desk: Desk) -> None:
        referral = await self.booked(desk)
        given_up = [await desk.put(row, **cancelled("pat")) for row in await desk.sessions(referral)]
        assert await desk.sessions(referral) == []
        await desk.authorize(referral, units=2)
        spans = {row.starts_at for row in await desk.sessions(referral)}
        assert len(spans) == 2
        assert not spans & {row.starts_at for row in given_up}

    async def test_is_booked_anew_without_who_could_not_come_then(self, two: Desk) -> None:
        referral = await self.booked(two)
        given_up = [await two.put(row, **cancelled("prov")) for row in await two.sessions(referral)]
        await two.authorize(referral, units=2)
        booked = {(row.starts_at, row.practitioner) for row in await two.sessions(referral)}
        assert len(booked) == 2
        assert not booked & {(row.starts_at, row.practitioner) for row in given_up}
        assert {start for start, _ in booked} == {row.starts_at for row in given_up}

    async def test_lies_beside_the_time_of_a_session_that_was_moved_away(self, desk: Desk) -> None:
        referral = await self.booked(desk)
        session, *_ = await desk.sessions(referral)
        left = session.starts_at
        await desk.put(session, start=local(date(2026, 6, 4), "15:00").isoformat(), end=None)
        await desk.authorize(referral, status="denied", units=None)
        await desk.authorize(referral, units=2)
        assert left not in {row.starts_at for row in await desk.sessions(referral)}

    async def test_lies_beside_a_time_that_its_patient_gave_up_for_the_first_visit(self, desk: Desk) -> None:
        referral = await desk.accept(payer="insurer")
        for wall in ("10:00", "09:00"):
            await desk.put(await desk.first(referral), start=local(TUESDAY, wall).isoformat(), end=None)
        await desk.authorize(referral, units=4)
        starts = {row.starts_at for row in await desk.sessions(referral)}
        assert starts
        assert local(TUESDAY, "10:00") not in starts
