"""Group sessions: clinician and room are taken once, every patient has a seat and a visit of their own."""

import asyncio
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest

from services.scheduling import use_cases
from services.scheduling.models.rows import Appointment, GroupSession
from services.scheduling.rules.moving import CannotMove
from services.scheduling.use_cases.book_visit import CannotBook
from services.scheduling.use_cases.change import VisitOfAnother
from shared.auth.principal import Principal
from shared.auth.scopes import Scopes
from shared.db import Database
from shared.errors import Invalid
from tests.support.booking import COORDINATOR, REVIEW, Desk, a_clinic, a_person, local

THURSDAY = date(2026, 6, 4)
CANCELLATIONS = "http://terminology.hl7.org/CodeSystem/appointment-cancellation-reason"
SCHOOL = {
    "id": "school",
    "name": "Back school",
    "kind": "group",
    "minutes": 60,
    "disciplines": ["physiotherapy"],
    "room": "group",
    "seats": 3,
}
YOGA = {**SCHOOL, "id": "yoga", "name": "Yoga"}


@pytest.fixture
def desk(scheduling_db: Database) -> Desk:
    people = [a_person("ana", start="09:00", end="11:00"), a_person("ben", start="13:00", end="15:00")]
    rooms = [
        {"id": "hall", "name": "Hall", "kind": "group"},
        {"id": "studio", "name": "Studio", "kind": "group"},
    ]
    clinic = a_clinic(people=people, visits=[SCHOOL, YOGA, REVIEW], more_rooms=rooms)
    return Desk(scheduling_db, clinic)


async def found(desk: Desk, referral: str, visit: str = "school", **more: Any) -> list[dict[str, Any]]:
    return await desk.find(
        local(THURSDAY, "00:00"), local(THURSDAY, "23:59"), referral_id=UUID(referral), visit=visit, **more
    )


def at_nine(referral: str, visit: str = "school", person: str = "ana") -> dict[str, Any]:
    """A proposal for nine o'clock on Thursday."""
    return {
        "resourceType": "Appointment",
        "status": "proposed",
        "serviceType": [
            {"coding": [{"system": "https://lumbar.care/fhir/CodeSystem/visit-type", "code": visit}]}
        ],
        "start": "2026-06-04T13:00:00Z",
        "basedOn": [{"reference": f"ServiceRequest/{referral}"}],
        "participant": [{"actor": {"reference": f"Practitioner/{person}"}, "status": "needs-action"}],
    }


async def sessions(desk: Desk) -> list[GroupSession]:
    async with desk.database.transaction() as tx:
        return await tx.rows(GroupSession, "SELECT * FROM group_session ORDER BY starts_at, id")


async def live(desk: Desk, of: UUID) -> int:
    async with desk.database.transaction() as tx:
        return int(await tx.value("SELECT count(*) FROM occupancy WHERE appointment = $1 AND live", of))


async def cancel_group(
    desk: Desk, row: Appointment, *, by: Principal = COORDINATOR, **given: Any
) -> Appointment:
    said = {"reason": "The teacher is ill."} | given
    async with desk.database.transaction() as tx:
        return await use_cases.cancel_group.run(ctx_of(desk, by), tx, str(row.id), given=said)


def ctx_of(desk: Desk, by: Principal) -> Any:
    return desk.ctx(principal=by)


class TestASeat:
    async def test_is_a_visit_of_its_own_and_takes_clinician_and_room_once(self, desk: Desk) -> None:
        rows = [await desk.book(at_nine(await desk.accept())) for _ in range(3)]
        [session] = await sessions(desk)
        assert [(row.group_session, row.seat) for row in rows] == [(session.id, n) for n in (1, 2, 3)]
        assert (await live(desk, session.id), [await live(desk, row.id) for row in rows]) == (2, [1, 1, 1])
        assert (await desk.told()).count("appointment.booked") == 6

    async def test_names_no_other_participant(self, desk: Desk) -> None:
        rows = [await desk.book(at_nine(await desk.accept())) for _ in range(2)]
        body = rows[1].body.decode()
        assert rows[0].patient_id not in body
        assert str(rows[0].group_session) not in body
        assert [one["actor"]["reference"] for one in msgspec.json.decode(body)["participant"]][1:] == [
            "Practitioner/ana",
            "Location/hall",
        ]

    async def test_is_found_where_a_session_has_one_left(self, desk: Desk) -> None:
        for _ in range(2):
            await desk.book(at_nine(await desk.accept()))
        last = await desk.accept()
        assert (await found(desk, last))[0]["start"] == "2026-06-04T13:00:00Z"
        await desk.book((await found(desk, last))[0])
        nobody = await desk.accept()
        assert (await found(desk, nobody))[0]["start"] > "2026-06-04T13:00:00Z"
        with pytest.raises(CannotBook, match=r"The 3 seats with P\. Ana are taken, until 2026-06-04 10:00"):
            await desk.book(at_nine(nobody))
        assert await desk.visits(nobody) == []

    async def test_of_ten_who_want_three_at_once_three_get_one(self, desk: Desk) -> None:
        referrals = [await desk.accept() for _ in range(10)]
        later = {"start": local(date(2026, 7, 16), "09:00").isoformat()}
        results = await asyncio.gather(
            *(desk.book(at_nine(one), **later) for one in referrals), return_exceptions=True
        )
        seats = sorted(one.seat or 0 for one in results if isinstance(one, Appointment))
        assert seats == [1, 2, 3]
        assert sum(isinstance(one, CannotBook) for one in results) == 7
        assert len(await sessions(desk)) == 1

    async def test_two_groups_of_one_clinician_at_one_time_are_one_too_many(self, desk: Desk) -> None:
        await desk.book(at_nine(await desk.accept()))
        with pytest.raises(CannotBook, match=r"P\. Ana has another appointment until 2026-06-04 10:00"):
            await desk.book(at_nine(await desk.accept(), "yoga"))
        with pytest.raises(CannotBook, match=r"P\. Ana has another appointment until 2026-06-04 10:00"):
            await desk.book(at_nine(await desk.accept(), "review"))

    async def test_is_not_given_to_who_has_something_else(self, desk: Desk) -> None:
        referral = await desk.accept()
        await desk.book(at_nine(await desk.accept()))
        await desk.book(at_nine(referral))
        with pytest.raises(CannotBook, match="The patient has another appointment until 2026-06-04 10:00"):
            await desk.book(at_nine(referral))


class TestGivingUp:
    async def test_one_seat_leaves_the_session_to_the_others(self, desk: Desk) -> None:
        first, other = [await desk.book(at_nine(await desk.accept())) for _ in range(2)]
        await desk.put(first, status="cancelled", cancelationReason=_reason("pat"))
        [session] = await sessions(desk)
        assert (session.status, await live(desk, session.id), await live(desk, other.id)) == ("open", 2, 1)
        assert (await desk.book(at_nine(await desk.accept()))).seat == 1

    async def test_the_last_seat_gives_the_time_back(self, desk: Desk) -> None:
        row = await desk.book(at_nine(await desk.accept()))
        await desk.put(row, status="cancelled", cancelationReason=_reason("pat"))
        [session] = await sessions(desk)
        assert (session.status, await live(desk, session.id)) == ("empty", 0)
        assert (await desk.book(at_nine(await desk.accept(), "review"))).status == "booked"

    async def test_a_seat_moves_to_another_session(self, desk: Desk) -> None:
        stays, moves = [await desk.book(at_nine(await desk.accept())) for _ in range(2)]
        moved = await desk.put(moves, start="2026-06-04T14:00:00Z", end="2026-06-04T15:00:00Z")
        before, after = await sessions(desk)
        assert (stays.group_session, moved.group_session, moved.seat) == (before.id, after.id, 1)
        assert [one.status for one in (before, after)] == ["open", "open"]

    async def test_staff_cancels_the_session_for_everybody_with_a_reason(self, desk: Desk) -> None:
        rows = [await desk.book(at_nine(await desk.accept())) for _ in range(3)]
        held = len(await desk.told())
        await cancel_group(desk, rows[1])
        [session] = await sessions(desk)
        assert (session.status, await live(desk, session.id)) == ("cancelled", 0)
        for row in rows:
            [visit] = await desk.visits(str(row.referral_id))
            assert (visit.status, visit.reason_code) == ("cancelled", "prov")
        assert (await desk.told())[held:] == ["appointment.cancelled"] * 3
        with pytest.raises(CannotMove):
            await cancel_group(desk, rows[0])

    async def test_without_a_reason_or_by_a_colleague_nothing_is_cancelled(self, desk: Desk) -> None:
        row = await desk.book(at_nine(await desk.accept()))
        with pytest.raises(Invalid):
            await cancel_group(desk, row, reason=" ")
        scopes = Scopes.parse(["user/Appointment.crus"])
        ben = Principal(client="ben", party="clinician", scopes=scopes, practitioner="ben", site="toronto")
        async with desk.database.transaction() as tx:
            await tx.run("UPDATE referral SET team = '{ben}'")
        with pytest.raises(VisitOfAnother):
            await cancel_group(desk, row, by=ben)
        assert (await sessions(desk))[0].status == "open"

    async def test_two_who_cancel_one_session_from_two_seats_do_not_wait_for_each_other(
        self, desk: Desk
    ) -> None:
        rows = [await desk.book(at_nine(await desk.accept())) for _ in range(3)]
        results = await asyncio.gather(
            cancel_group(desk, rows[0]), cancel_group(desk, rows[2]), return_exceptions=True
        )
        assert sorted(type(one).__name__ for one in results) == ["Appointment", "CannotMove"]

    async def test_a_seat_that_was_missed_by_mistake_is_had_again(self, desk: Desk) -> None:
        row, _ = [await desk.book(at_nine(await desk.accept())) for _ in range(2)]
        await desk.at(local(THURSDAY, "09:30"))
        missed = await desk.put(row, status="noshow")
        again = await desk.correct(missed, "fulfilled")
        assert (again.status, again.seat, await live(desk, again.id)) == ("fulfilled", 1, 1)


class TestAHeldSeat:
    async def test_that_expires_leaves_nothing_taken(self, desk: Desk) -> None:
        held = await desk.hold(at_nine(await desk.accept()))
        await desk.at(desk.now + timedelta(minutes=10))
        [session] = await sessions(desk)
        assert (session.status, await live(desk, session.id), await live(desk, held.id)) == ("empty", 0, 0)

    async def test_blocks_nobody_while_its_timer_is_late(self, desk: Desk) -> None:
        held = await desk.hold(at_nine(await desk.accept()))
        other = await desk.accept()
        desk.clock.set(desk.now + timedelta(minutes=10))
        row = await desk.book(at_nine(other))
        assert row.group_session != held.group_session
        [mine] = [one for one in await sessions(desk) if one.id == row.group_session]
        assert (mine.held_until, await live(desk, mine.id)) == (None, 2)

    async def test_is_booked_and_its_session_with_it(self, desk: Desk) -> None:
        held = await desk.hold(at_nine(await desk.accept()))
        booked = await desk.book_hold(held)
        await desk.at(desk.now + timedelta(hours=1))
        [session] = await sessions(desk)
        assert (booked.status, session.held_until, await live(desk, session.id)) == ("booked", None, 2)

    async def test_a_booked_seat_makes_a_held_session_stand(self, desk: Desk) -> None:
        await desk.hold(at_nine(await desk.accept()))
        await desk.book(at_nine(await desk.accept()))
        await desk.at(desk.now + timedelta(hours=1))
        [session] = await sessions(desk)
        assert (session.status, await live(desk, session.id)) == ("open", 2)


def _reason(code: str) -> dict[str, Any]:
    return {"coding": [{"system": CANCELLATIONS, "code": code}]}
