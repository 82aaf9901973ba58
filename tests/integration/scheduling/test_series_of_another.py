"""The sessions of a series go to another clinician or room: one, this and what follows, or all."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.scheduling.models.rows import Appointment
from services.scheduling.use_cases.series_in_hand import CannotChangeSeries
from shared.db import Database
from shared.errors import Invalid
from tests.integration.scheduling.test_changing_series import (
    WHY,
    booked,
    named,
    outcomes,
    starts,
)
from tests.integration.scheduling.test_series_of_disciplines import OT, PT, a_course, a_desk, granted
from tests.support.booking import Desk, a_clinic, a_person

BOOKED_ROWS = "SELECT count(*) FROM occupancy WHERE live"


def two_physiotherapists(database: Database, **clinic: Any) -> Desk:
    people = [
        a_person("ana", purpose=["first"]),
        *(a_person(one, purpose=["session"]) for one in ("ben", "bo")),
    ]
    return Desk(database, a_clinic(people=people, **clinic))


def other_than(row: Appointment) -> str:
    return "bo" if row.practitioner == "ben" else "ben"


def whom(person: str) -> dict[str, str]:
    return {"reference": f"Practitioner/{person}"}


async def led_by(desk: Desk, referral: str) -> list[str | None]:
    return [row.practitioner for row in await desk.sessions(referral)]


async def give(desk: Desk, referral: str, row: Appointment, **given: Any) -> dict[str, Any]:
    given = {"scope": "all", "session": named(row), "practitioner": whom(other_than(row))} | given
    return await desk.change_series(referral, "move-sessions", **given)


async def times(desk: Desk, referral: str) -> Sequence[Any]:
    return [row.starts_at for row in await desk.sessions(referral)]


class TestAnotherClinician:
    async def test_takes_all_sessions_at_the_times_that_they_have(self, scheduling_db: Database) -> None:
        desk = two_physiotherapists(scheduling_db)
        referral, rows = await booked(desk)
        new, before = other_than(rows[0]), len(await desk.told())
        answer = await give(desk, referral, rows[0])
        assert outcomes(answer) == ["reassigned"] * 4
        assert await led_by(desk, referral) == [new] * 4
        assert await times(desk, referral) == [row.starts_at for row in rows]
        assert (await desk.told())[before:] == ["appointment.reassigned"] * 4
        async with scheduling_db.transaction() as tx:
            sql = (
                "SELECT count(*) FROM occupancy JOIN resource ON resource.number = occupancy.resource"
                " WHERE live AND resource.id = $1"
            )
            assert await tx.value(sql, f"person/{new}") == 4
            assert await tx.value("SELECT count(*) FROM given_up_time") == 0

    async def test_takes_one_or_this_and_what_follows(self, scheduling_db: Database) -> None:
        desk = two_physiotherapists(scheduling_db)
        referral, rows = await booked(desk)
        old, new = rows[0].practitioner, other_than(rows[0])
        await give(desk, referral, rows[1], scope="one")
        assert await led_by(desk, referral) == [old, new, old, old]
        answer = await give(desk, referral, rows[2], scope="following")
        assert outcomes(answer) == ["reassigned", "reassigned"]
        assert await led_by(desk, referral) == [old, new, new, new]

    async def test_that_has_them_already_changes_nothing(self, scheduling_db: Database) -> None:
        desk = two_physiotherapists(scheduling_db)
        referral, rows = await booked(desk)
        new = whom(other_than(rows[0]))
        await give(desk, referral, rows[0], practitioner=new)
        told = await desk.told()
        assert outcomes(await give(desk, referral, rows[0], practitioner=new)) == []
        assert await desk.told() == told

    async def test_is_shown_first_and_nothing_is_written(self, scheduling_db: Database) -> None:
        desk = two_physiotherapists(scheduling_db)
        referral, rows = await booked(desk)
        told = await desk.told()
        shown = await give(desk, referral, rows[0], preview=True)
        assert outcomes(shown) == ["reassigned"] * 4
        assert starts(shown, "was") == starts(shown) == [row.starts_at for row in rows]
        assert await desk.told() == told
        assert await led_by(desk, referral) == [row.practitioner for row in rows]

    async def test_who_cannot_take_one_takes_none_and_that_one_is_named(
        self, scheduling_db: Database
    ) -> None:
        desk = two_physiotherapists(scheduling_db)
        await desk.start()
        referral, rows = await booked(desk)
        new, third = other_than(rows[0]), rows[2].starts_at
        assert third is not None
        await desk.be_away(new, third, third + timedelta(hours=1))
        with pytest.raises(CannotChangeSeries) as refused:
            await give(desk, referral, rows[0])
        named_one, why = (problem.reason for problem in refused.value.problems)
        assert named_one is not None
        assert named_one.code == "session-cannot-move"
        assert datetime.fromisoformat(str(named_one.arguments[0].value)) == third
        assert why is not None
        assert why.code == "no-hours"
        assert await led_by(desk, referral) == [row.practitioner for row in rows]

    async def test_at_another_time_moves_them_there(self, scheduling_db: Database) -> None:
        desk = two_physiotherapists(scheduling_db)
        referral, rows = await booked(desk)
        first = rows[0].starts_at
        assert first is not None
        answer = await give(desk, referral, rows[0], start=(first + timedelta(hours=2)).isoformat())
        assert outcomes(answer) == ["moved", "moved"]
        sessions = await desk.sessions(referral)
        assert sessions[0].starts_at == first + timedelta(hours=2)
        assert sessions[0].practitioner == other_than(rows[0])
        assert sessions[1].practitioner == rows[1].practitioner

    async def test_of_another_discipline_is_refused_with_those_who_can(self, scheduling_db: Database) -> None:
        desk = a_desk(scheduling_db, a_course({"weeks": 2, "pt": 2, "ot": 1}))
        referral = await granted(desk, pt=4, ot=2)
        session = next(row for row in await desk.sessions(referral) if row.discipline == PT)
        with pytest.raises(Invalid, match="clinicians who give this session: ana, pat"):
            await give(desk, referral, session, practitioner=whom("otto"))
        with pytest.raises(Invalid, match="rooms for this session: treatment-1, treatment-2"):
            await give(
                desk, referral, session, practitioner=None, location={"reference": "Location/assessment-1"}
            )
        with pytest.raises(Invalid, match="the new start, or who leads them, or the room"):
            await desk.change_series(referral, "move-sessions", scope="all", session=named(session))
        assert OT in {row.discipline for row in await desk.sessions(referral)}

    async def test_leaves_what_other_disciplines_give(self, scheduling_db: Database) -> None:
        people = [
            a_person("ana", purpose=["first"]),
            *(a_person(one, purpose=["session"]) for one in ("ben", "bo")),
            a_person("otto", discipline=OT, purpose=["session"]),
        ]
        desk = a_desk(scheduling_db, a_course({"weeks": 2, "pt": 2, "ot": 1}), people=people)
        referral = await granted(desk, pt=4, ot=2)
        session = next(row for row in await desk.sessions(referral) if row.discipline == PT)
        new = other_than(session)
        await give(desk, referral, session)
        led = {(row.discipline, row.practitioner) for row in await desk.sessions(referral)}
        assert led == {(PT, new), (OT, "otto")}

    async def test_of_a_group_is_for_everybody_in_it(self, scheduling_db: Database) -> None:
        school = {"id": "school", "name": "Back school", "kind": "group", "minutes": 60}
        group = {**school, "disciplines": [PT], "room": "assessment", "seats": 3}
        course = a_course({"weeks": 2, "pt": 2}, groups=["school"])
        people = [a_person("ana"), a_person("pat", purpose=["session"])]
        desk = a_desk(scheduling_db, course, visits=[group], people=people)
        referral = await granted(desk, pt=4)
        seat = (await desk.visits(referral))[0]
        with pytest.raises(CannotChangeSeries, match="one clinician and one room for everybody"):
            await give(desk, referral, seat, practitioner=whom("pat"))


class TestAnotherRoom:
    async def test_has_the_sessions_from_then_on(self, scheduling_db: Database) -> None:
        desk = two_physiotherapists(scheduling_db)
        referral, rows = await booked(desk)
        assert {row.room for row in rows} == {"treatment-1"}
        room = {"reference": "Location/treatment-2"}
        answer = await give(desk, referral, rows[1], scope="following", practitioner=None, location=room)
        assert outcomes(answer) == ["reassigned"] * 3
        assert str(answer).count("Location/treatment-2") == 3
        sessions = await desk.sessions(referral)
        assert [row.room for row in sessions] == ["treatment-1", *["treatment-2"] * 3]
        assert [row.practitioner for row in sessions] == [row.practitioner for row in rows]


class TestWhatWasCancelled:
    async def test_is_not_revived_by_another_time_clinician_or_room(self, scheduling_db: Database) -> None:
        desk = two_physiotherapists(scheduling_db)
        referral, rows = await booked(desk)
        gone, first = rows[1], rows[0].starts_at
        assert first is not None
        await desk.change_series(referral, "cancel-sessions", scope="one", session=named(gone), **WHY)
        await give(desk, referral, rows[0])
        room = {"reference": "Location/treatment-2"}
        await give(desk, referral, rows[0], practitioner=None, location=room)
        new = (first + timedelta(hours=2)).isoformat()
        await desk.change_series(referral, "move-sessions", scope="all", session=named(rows[0]), start=new)
        kept = [row.id for row in await desk.sessions(referral)]
        assert sorted(kept) == sorted(row.id for row in rows if row.id != gone.id)
        assert gone.starts_at not in await times(desk, referral)
        async with scheduling_db.transaction() as tx:
            found = await tx.row(Appointment, "SELECT * FROM appointment WHERE id = $1", UUID(str(gone.id)))
            assert await tx.value(BOOKED_ROWS) == 3 + 3 * 3
        assert found is not None
        assert (found.status, found.version) == ("cancelled", gone.version + 1)
        assert found.practitioner == gone.practitioner
