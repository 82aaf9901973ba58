"""An offer whose time is gone is withdrawn at once: who was asked hears it, and is in line again."""

from datetime import timedelta

import pytest

from services.scheduling import use_cases
from services.scheduling.models.offers import TimeOffer
from services.scheduling.use_cases.answer_offer import OfferOver
from shared.db import Database
from shared.errors import Conflict
from tests.integration.scheduling.test_offers import TUESDAY, freed
from tests.integration.scheduling.test_roster_changes import hours, put
from tests.support.booking import Desk, a_clinic, a_person, local
from tests.support.booking.offers import CALLED_OFF, answer, offers, rounds, state_of

MIDNIGHT = local(TUESDAY, "00:00")


@pytest.fixture
async def desk(scheduling_db: Database) -> Desk:
    """A clinic that offers freed times, with two first visits a day with Ben, and one on Fridays with Ana."""
    ana = a_person("ana", start="13:00", end="14:00", days=["fri"], purpose=["first"])
    ben = a_person("ben", start="09:00", end="11:00", purpose=["first"])
    made = a_clinic(people=[ana, ben], payer_asks=False, scheduling={"offers": {}})
    desk = Desk(scheduling_db, made)
    await desk.start()
    return desk


async def told_that_it_is_gone(desk: Desk, made: list[TimeOffer]) -> None:
    """Expect that these offers have ended, that this was published, and that nothing is held for them."""
    assert made
    ended = await offers(desk, "cancelled")
    assert {one.id for one in ended} == {one.id for one in made}
    assert {one.ended_because[0].code for one in ended} == {"offer-gone"}
    assert (await desk.told()).count("offer.ended") == len(made)
    [time, *_] = await rounds(desk)
    assert time.status == "left"
    async with desk.database.transaction() as tx:
        held = "SELECT count(*) FROM occupancy WHERE appointment = $1 AND live"
        assert await tx.value(held, time.id) == 0
    for one in made:
        assert (await state_of(desk, one.appointment_id)).starts_at == one.had_start
        with pytest.raises(OfferOver, match="not there any more"):
            await answer(desk, one, "accept")


class TestAnOffer:
    @pytest.mark.parametrize("whose", ["ben", "toronto"])
    async def test_is_withdrawn_where_nobody_is_there_then(self, desk: Desk, whose: str) -> None:
        await freed(desk)
        made = await offers(desk)
        await desk.be_away(whose, MIDNIGHT, MIDNIGHT + timedelta(days=1))
        await told_that_it_is_gone(desk, made)

    async def test_is_withdrawn_where_its_hour_is_none_any_more(self, desk: Desk) -> None:
        await freed(desk)
        made = await offers(desk)
        await put(desk, "PractitionerRole/ben", availableTime=[hours("10:00", "12:00", "first")])
        await told_that_it_is_gone(desk, made)

    async def test_is_withdrawn_where_its_clinician_leaves(self, desk: Desk) -> None:
        await freed(desk)
        made = await offers(desk)
        await put(desk, "Practitioner/ben", active=False)
        await told_that_it_is_gone(desk, made)

    async def test_is_withdrawn_where_its_room_is_closed(self, desk: Desk) -> None:
        await freed(desk)
        made = await offers(desk)
        [time] = await rounds(desk)
        await put(desk, f"Location/{time.room}", status="inactive")
        await told_that_it_is_gone(desk, made)

    async def test_is_withdrawn_at_the_start_of_a_clinic_described_otherwise(self, desk: Desk) -> None:
        await freed(desk)
        made = await offers(desk)
        ana = a_person("ana", start="09:00", end="11:00", purpose=["first"])
        desk.clinic = a_clinic(people=[ana], payer_asks=False, scheduling={"offers": {}})
        async with desk.database.transaction() as tx:
            await use_cases.freed_time.withdraw_gone_everywhere(desk.ctx(), tx)
        await told_that_it_is_gone(desk, made)

    async def test_stays_where_an_absence_leaves_its_time_alone(self, desk: Desk) -> None:
        await freed(desk)
        made = await offers(desk)
        await desk.be_away("ben", made[0].ends_at, made[0].ends_at + timedelta(hours=1))
        assert [one.id for one in await offers(desk)] == [one.id for one in made]

    async def test_whose_last_patient_changed_the_visit_lets_the_next_be_asked_at_once(
        self, desk: Desk
    ) -> None:
        await freed(desk)
        first, *others = await offers(desk)
        for one in others:
            await answer(desk, one, "decline")
        await desk.put(await state_of(desk, first.appointment_id), **CALLED_OFF)
        await desk.settle()
        [time, *_] = await rounds(desk)
        asked = {one.patient_id for one in await offers(desk) if one.round_id == time.id}
        assert asked
        assert not asked & {first.patient_id, *(one.patient_id for one in others)}

    async def test_leaves_who_was_asked_in_line_for_the_next_time(self, desk: Desk) -> None:
        rows = await freed(desk)
        asked = {one.patient_id for one in await offers(desk)}
        await desk.be_away("ben", MIDNIGHT, MIDNIGHT + timedelta(days=1))
        await desk.put(rows[2], **CALLED_OFF)
        await desk.at(desk.now + timedelta(minutes=6))
        assert {one.patient_id for one in await offers(desk)} & asked

    async def test_that_was_taken_ends_for_good_and_its_time_is_free_once_called_off(
        self, desk: Desk
    ) -> None:
        rows = await freed(desk)
        first, *others = await offers(desk)
        await answer(desk, first, "accept")
        taken = await state_of(desk, first.appointment_id)
        start = taken.starts_at
        assert start is not None
        with pytest.raises(Conflict, match="until"):
            await desk.put(rows[1], start=start.isoformat(), end=None)
        await desk.put(taken, **CALLED_OFF)
        for one in others:
            with pytest.raises(OfferOver, match="Somebody else has taken the time"):
                await answer(desk, one, "accept")
        assert (await answer(desk, first, "accept")).status == "completed", "the same answer, and no new yes"
        assert (await state_of(desk, first.appointment_id)).status == "cancelled"
        assert (await desk.put(rows[1], start=start.isoformat(), end=None)).starts_at == start
