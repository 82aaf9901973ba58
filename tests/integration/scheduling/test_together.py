"""Referrals that are accepted together: the same times as one after the other, and few round trips."""

import asyncio
from datetime import date
from uuid import uuid4

from services.scheduling import queries
from services.scheduling.models.spans import Span
from services.scheduling.queries.occupancy import OccupancyClaim
from shared.db import Database
from shared.ids import new_text_id
from tests.support.booking import Desk, a_clinic, a_person, accepted, local
from tests.support.roundtrips import round_trips


class TestAcceptedTogether:
    async def test_each_gets_the_earliest_time_that_the_others_leave(self, scheduling_db: Database) -> None:
        desk = Desk(scheduling_db, a_clinic(people=[a_person("ana"), a_person("ben")]))
        referrals = [new_text_id() for _ in range(5)]
        await desk.hear_together([accepted(one, at=desk.now) for one in referrals])

        firsts = [await desk.first(one) for one in referrals]
        day = date(2026, 6, 2)
        assert [row.starts_at for row in firsts] == [
            local(day, wall) for wall in ("09:00", "09:00", "10:00", "10:00", "11:00")
        ]
        assert [row.practitioner for row in firsts] == ["ana", "ben", "ana", "ben", "ana"]
        assert await desk.told() == ["appointment.booked"] * 5

    async def test_one_that_comes_twice_is_booked_once(self, scheduling_db: Database) -> None:
        desk = Desk(scheduling_db, a_clinic())
        event = accepted(new_text_id(), at=desk.now)
        await desk.hear_together([event, event])
        await desk.hear_together([event])

        assert await desk.told() == ["appointment.booked"]

    async def test_two_of_one_patient_do_not_overlap(self, scheduling_db: Database) -> None:
        desk = Desk(scheduling_db, a_clinic(people=[a_person("ana"), a_person("ben")]))
        patient, referrals = new_text_id(), [new_text_id() for _ in range(2)]
        await desk.hear_together([accepted(one, at=desk.now, patient_id=patient) for one in referrals])

        one, other = [await desk.first(referral) for referral in referrals]
        assert one.ends_at is not None
        assert other.starts_at is not None
        assert other.starts_at >= one.ends_at

    async def test_who_finds_no_time_waits_and_the_others_are_booked(self, scheduling_db: Database) -> None:
        clinic = a_clinic(people=[a_person("ana", days=["tue"], start="09:00", end="11:00")])
        desk = Desk(scheduling_db, clinic)
        events = [accepted(new_text_id(), at=desk.now, due_on=date(2026, 6, 5)) for _ in range(4)]
        await desk.hear_together(events)
        await desk.settle()

        told = await desk.told()
        assert (told.count("appointment.booked"), told.count("waitlist.joined")) == (2, 2)
        assert told.count("guarantee.at-risk") == 2

    async def test_batches_at_once_lose_times_to_each_other_and_fill_the_calendar_all_the_same(
        self, scheduling_db: Database
    ) -> None:
        people = [a_person(f"p{number}") for number in range(4)]
        clinic = a_clinic(people=people, rooms=3)
        desks = [Desk(scheduling_db, clinic) for _ in range(4)]
        await asyncio.gather(
            *(desk.hear_together([accepted(new_text_id(), at=desk.now) for _ in range(12)]) for desk in desks)
        )
        async with scheduling_db.transaction() as tx:
            taken = await tx.value("SELECT count(*) FROM occupancy WHERE live")
            last = await tx.value("SELECT max(ends_at) FROM appointment")
        assert taken == 48 * 3
        assert last == local(date(2026, 6, 4), "10:00")

    async def test_a_full_day_is_not_looked_at_again_until_somebody_gives_time_back(
        self, scheduling_db: Database
    ) -> None:
        clinic = a_clinic(people=[a_person("ana", start="09:00", end="11:00")])
        desk, elsewhere = Desk(scheduling_db, clinic), Desk(scheduling_db, clinic)
        tuesday = [await desk.accept() for _ in range(2)]
        wednesday = await desk.first(await desk.accept())
        assert wednesday.starts_at == local(date(2026, 6, 3), "09:00")

        await elsewhere.end(tuesday[0])
        assert (await desk.first(await desk.accept())).starts_at == local(date(2026, 6, 2), "09:00")

    async def test_a_batch_costs_the_same_round_trips_whatever_its_size(
        self, scheduling_db: Database
    ) -> None:
        desk = Desk(scheduling_db, a_clinic(people=[a_person(f"p{number}") for number in range(8)], rooms=8))
        # A statement is prepared once for one row and once for several.
        for size in (1, 2, 1, 2):
            await desk.hear_together([accepted(new_text_id(), at=desk.now) for _ in range(size)])
        found = []
        for size in (1, 30):
            with round_trips() as counted:
                await desk.hear_together([accepted(new_text_id(), at=desk.now) for _ in range(size)])
            found.append(counted.total())
        assert found[0] == found[1] <= 13

    async def test_of_visits_that_choose_the_same_time_one_gets_it_in_each_round(
        self, scheduling_db: Database
    ) -> None:
        """Nobody may keep one resource of somebody who keeps another of theirs: both would lose for ever."""
        hour = Span(local(date(2026, 6, 2), "09:00"), local(date(2026, 6, 2), "10:00"))
        kinds = ("person/1", "room/1", "device/1")
        async with scheduling_db.transaction() as tx:
            await queries.occupancy.know_resources(tx, kinds)
            for number in range(2, 40):
                claims = [
                    OccupancyClaim(
                        appointment=uuid4(), resources=kinds[place % 3 :] + kinds[: place % 3], span=hour
                    )
                    for place in range(number)
                ]
                assert len(await queries.occupancy.claim_each(tx, claims)) == 1
                await tx.run("DELETE FROM occupancy")
