"""A seat of a group that is given up is offered to patients who come another day."""

import asyncio
from datetime import date, timedelta
from uuid import UUID

import pytest

from services.scheduling import fhir, use_cases
from services.scheduling.models.offers import OfferRound, TimeOffer
from services.scheduling.models.rows import Appointment
from services.scheduling.use_cases.answer_offer import OfferOver
from shared.db import Database
from tests.integration.scheduling.test_groups import SCHOOL
from tests.support.booking import COORDINATOR, Desk, a_clinic, a_person, local
from tests.support.booking.offers import CALLED_OFF, answer, offers, rounds, state_of


@pytest.fixture
def school(scheduling_db: Database) -> Desk:
    """A clinic with a group of three seats, that offers freed times."""
    rooms = [{"id": "hall", "name": "Hall", "kind": "group"}]
    people = [a_person("ana", start="09:00", end="12:00"), a_person("ben", days=["fri"])]
    made = a_clinic(people=people, visits=[SCHOOL], more_rooms=rooms, scheduling={"offers": {}})
    return Desk(scheduling_db, made)


THIS, NEXT = date(2026, 6, 11), date(2026, 6, 18)


async def seat(desk: Desk, day: date, referral: str | None = None) -> Appointment:
    """Book a seat in the group at ten o'clock of a day, for a patient of its own unless said."""
    referral = referral or await desk.accept()
    [proposal] = await desk.find(
        local(day, "10:00"), local(day, "11:00"), referral_id=UUID(referral), visit="school"
    )
    return await desk.book(proposal)


class TestASeatOfAGroup:
    async def full(self, desk: Desk) -> tuple[list[Appointment], list[Appointment]]:
        """Book this week's group full and next week's too, and let one of this week's give the seat up."""
        now = [await seat(desk, THIS) for _ in range(3)]
        later = [await seat(desk, NEXT) for _ in range(3)]
        await desk.at(local(THIS - timedelta(days=1), "10:00"))
        await desk.put(now[0], **CALLED_OFF)
        await desk.at(local(THIS - timedelta(days=1), "10:05"))
        return now, later

    async def test_is_offered_to_who_comes_later_and_held_for_them(self, school: Desk) -> None:
        _, later = await self.full(school)
        made = await offers(school)
        assert {one.appointment_id for one in made} == {row.id for row in later}
        newcomer = await school.accept()
        found = await school.find(
            local(THIS, "10:00"), local(THIS, "11:00"), referral_id=UUID(newcomer), visit="school"
        )
        assert found == []
        await school.at(local(THIS - timedelta(days=1), "11:05"))
        assert (await seat(school, THIS, newcomer)).group_session == (
            await self.session_of(school)
        ).group_session

    async def session_of(self, desk: Desk) -> OfferRound:
        [freed_seat, *_] = await rounds(desk)
        return freed_seat

    async def test_is_had_by_one_of_all_who_say_yes_and_no_seat_is_given_twice(self, school: Desk) -> None:
        now, _ = await self.full(school)
        made = await offers(school)
        results = await asyncio.gather(
            *(answer(school, one, "accept") for one in made), return_exceptions=True
        )
        assert sum(isinstance(one, TimeOffer) for one in results) == 1, results
        assert sum(isinstance(one, OfferOver) for one in results) == 2, results
        async with school.database.transaction() as tx:
            taken = await tx.value(
                "SELECT count(*) FROM appointment WHERE group_session = $1 AND status = 'booked'",
                now[0].group_session,
            )
        assert taken == 3

    async def test_is_withdrawn_where_the_session_is_called_off(self, school: Desk) -> None:
        now, later = await self.full(school)
        async with school.database.transaction() as tx:
            ctx = school.ctx(principal=COORDINATOR)
            await use_cases.cancel_group.run(ctx, tx, str(now[1].id), given={"reason": "Ana is ill."})
        assert [one.ended_because[0].code for one in await offers(school, "cancelled")] == ["offer-gone"] * 3
        offer, *_ = await offers(school, "cancelled")
        with pytest.raises(OfferOver, match="not there any more"):
            await answer(school, offer, "accept")
        await school.at(local(THIS - timedelta(days=1), "11:10"))
        assert await offers(school) == []
        assert all(row.status == "booked" for row in [await state_of(school, row.id) for row in later])

    async def test_is_withdrawn_where_the_clinician_of_the_group_is_away(self, school: Desk) -> None:
        await school.start()
        await self.full(school)
        made = await offers(school)
        day = local(THIS, "00:00")
        await school.be_away("ana", day, day + timedelta(days=1))
        ended = await offers(school, "cancelled")
        assert [one.id for one in ended] == [one.id for one in made]
        assert {one.ended_because[0].code for one in ended} == {"offer-gone"}
        assert [(one.status, one.seat) for one in await rounds(school)] == [("left", None)]

    async def test_stays_where_the_clinician_takes_no_new_visits(self, school: Desk) -> None:
        await school.start()
        await self.full(school)
        made = await offers(school)
        async with school.database.transaction() as tx:
            ctx = school.ctx(principal=COORDINATOR)
            stands = fhir.schedules.of_person(ctx.clinic.person("ana"), clinic=ctx.clinic, role=None)
            sent = stands | {"active": False}
            await use_cases.change_schedule.update(ctx, tx, "ana", sent, expect=lambda _: None)
        await school.settle()
        assert [one.id for one in await offers(school)] == [one.id for one in made]
        assert (await answer(school, made[0], "accept")).status == "completed"
