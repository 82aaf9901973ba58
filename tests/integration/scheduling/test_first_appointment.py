"""A referral that is accepted gets the earliest fitting first appointment, or a place on the waitlist."""

import asyncio
from datetime import date, timedelta

import pytest

from shared.db import Database
from shared.ids import new_text_id
from tests.support.booking import MONDAY, Desk, a_clinic, a_person, accepted, local


@pytest.fixture
def desk(scheduling_db: Database) -> Desk:
    return Desk(scheduling_db, a_clinic())


class TestOnReferralAccepted:
    async def test_books_the_earliest_time_of_the_next_day(self, desk: Desk) -> None:
        referral = await desk.accept()
        first = await desk.first(referral)
        assert first.status == "booked"
        assert first.starts_at == local(date(2026, 6, 2), "09:00")
        assert (first.practitioner, first.room) == ("ana", "assessment-1")
        assert await desk.told() == ["appointment.booked"]

    async def test_tells_of_the_booking_with_the_guarantee(self, desk: Desk) -> None:
        referral = await desk.accept()
        (booked,) = await desk.carried("appointment.booked")
        assert booked.focus["start"] == "2026-06-02T13:00:00Z"
        address = f"http://clinic.example/referral/fhir/ServiceRequest/{referral}"
        assert booked.focus["basedOn"] == [{"reference": address}]
        assert "/referral/fhir/Patient/" in booked.focus["participant"][0]["actor"]["reference"]
        (task,) = booked.carried("Task")
        assert task["businessStatus"]["coding"][0]["code"] == "on-track"
        assert task["restriction"]["period"]["end"] == "2026-06-30T04:00:00Z"

    async def test_books_once_when_the_event_comes_twice(self, desk: Desk) -> None:
        event = accepted(new_text_id(), at=MONDAY)
        await desk.hear(event)
        await desk.hear(event)
        assert await desk.told() == ["appointment.booked"]

    async def test_avoids_the_days_on_which_the_patient_cannot_come(self, desk: Desk) -> None:
        away = [{"start": "2026-06-02", "end": "2026-06-04"}]
        first = await desk.first(await desk.accept(unavailable=away))
        assert first.starts_at == local(date(2026, 6, 5), "09:00")

    async def test_gives_the_second_of_two_equal_times_to_the_less_loaded(
        self, scheduling_db: Database
    ) -> None:
        desk = Desk(scheduling_db, a_clinic(people=[a_person("ana"), a_person("ben")]))
        firsts = [await desk.first(await desk.accept()) for _ in range(4)]
        assert [row.practitioner for row in firsts] == ["ana", "ben", "ana", "ben"]
        assert firsts[0].starts_at == firsts[1].starts_at

    async def test_needs_a_free_room_too(self, scheduling_db: Database) -> None:
        desk = Desk(scheduling_db, a_clinic(people=[a_person("ana"), a_person("ben")], rooms=1))
        one, other = [await desk.first(await desk.accept()) for _ in range(2)]
        assert one.starts_at is not None
        assert other.starts_at == one.starts_at + timedelta(hours=1)

    async def test_a_patient_is_not_in_two_places_at_once(self, scheduling_db: Database) -> None:
        desk = Desk(scheduling_db, a_clinic(people=[a_person("ana"), a_person("ben")]))
        patient = new_text_id()
        one, other = [await desk.first(await desk.accept(patient_id=patient)) for _ in range(2)]
        assert one.ends_at is not None
        assert other.starts_at is not None
        assert other.starts_at >= one.ends_at


class TestWhenTheClinicIsFull:
    async def test_twenty_patients_at_five_times_are_five_booked_and_fifteen_waiting(
        self, scheduling_db: Database
    ) -> None:
        clinic = a_clinic(people=[a_person("ana", days=["tue"], start="09:00", end="14:00")])
        desk = Desk(scheduling_db, clinic)
        due = date(2026, 6, 5)
        events = [accepted(new_text_id(), at=MONDAY, due_on=due) for _ in range(20)]
        await asyncio.gather(*(desk.hear(event) for event in events))
        await desk.settle()
        told = await desk.told()
        assert (told.count("appointment.booked"), told.count("waitlist.joined")) == (5, 15)
        assert told.count("guarantee.at-risk") == 15

    async def test_sixteen_at_once_never_overlap_and_never_deadlock(self, scheduling_db: Database) -> None:
        people = [a_person(f"p{number}") for number in range(4)]
        desk = Desk(scheduling_db, a_clinic(people=people, rooms=3))
        for _ in range(3):
            events = [accepted(new_text_id(), at=MONDAY) for _ in range(16)]
            await asyncio.gather(*(desk.hear(event) for event in events))
        async with scheduling_db.transaction() as tx:
            overlaps = await tx.value(
                "SELECT count(*) FROM occupancy a JOIN occupancy b ON a.resource = b.resource"
                " AND a.appointment < b.appointment AND a.during && b.during"
            )
            taken = await tx.value("SELECT count(*) FROM occupancy")
            last = await tx.value("SELECT max(ends_at) FROM appointment")
        assert overlaps == 0
        assert taken == 48 * 3
        assert last == local(date(2026, 6, 4), "10:00")
