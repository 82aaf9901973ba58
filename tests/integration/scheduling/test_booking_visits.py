"""Visits of every kind are found and booked: with everything that they take, or refused by name."""

import asyncio
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest

from services.scheduling.rules.moving import CannotMove
from services.scheduling.use_cases.book_visit import CannotBook
from services.scheduling.use_cases.change import VisitOfAnother
from services.scheduling.use_cases.find_times import NothingToFind
from shared.auth.principal import Principal
from shared.auth.scopes import Scopes
from shared.db import Database
from shared.errors import Invalid, NotFound
from tests.support.booking import COORDINATOR, REVIEW, Desk, a_clinic, a_person, local

THURSDAY = date(2026, 6, 4)
PROCEDURE = {
    "id": "injection",
    "name": "Injection",
    "kind": "procedure",
    "minutes": 30,
    "disciplines": ["physiotherapy"],
    "room": "procedure",
    "equipment": ["scanner"],
    "before": 15,
    "after": 30,
}
JOINT = {
    "id": "joint",
    "name": "Joint",
    "kind": "joint-first",
    "minutes": 60,
    "disciplines": ["physiotherapy", "psychology"],
    "room": "assessment",
}
CALL = {"id": "call", "name": "Call", "kind": "telehealth", "minutes": 30, "disciplines": ["physiotherapy"]}
PEOPLE = [
    a_person("ana", start="09:00", end="12:00"),
    a_person("ben", start="10:00", end="13:00", languages=["en", "fr"]),
    a_person("zoe", discipline="psychology", start="09:00", end="17:00"),
]


@pytest.fixture
def desk(scheduling_db: Database) -> Desk:
    clinic = a_clinic(
        people=PEOPLE,
        visits=[REVIEW, PROCEDURE, JOINT, CALL],
        more_rooms=[
            {"id": "procedure-1", "name": "Procedure", "kind": "procedure"},
            {"id": "procedure-2", "name": "Procedure", "kind": "procedure"},
            {"id": "assessment-w", "name": "Wide", "kind": "assessment", "wheelchair": True},
        ],
        equipment=[{"id": "scanner-1", "name": "Scanner", "kind": "scanner"}],
        team=["physiotherapy", "psychology"],
    )
    return Desk(scheduling_db, clinic)


def clinician(person: str) -> Principal:
    scopes = Scopes.parse(["user/Appointment.crus"])
    return Principal(client=person, party="clinician", scopes=scopes, practitioner=person, site="toronto")


async def found(desk: Desk, referral: str, visit: str, **more: Any) -> list[dict[str, Any]]:
    """The times of a visit on Thursday."""
    return await desk.find(
        local(THURSDAY, "00:00"),
        local(THURSDAY, "23:59"),
        referral_id=UUID(referral),
        visit=visit,
        **more,
    )


def people_in(appointment: dict[str, Any], kind: str = "Practitioner") -> list[str]:
    named = [one["actor"].get("reference", "") for one in appointment["participant"]]
    return [text.rpartition("/")[2] for text in named if f"{kind}/" in text]


async def live_rows(desk: Desk) -> list[tuple[str, str]]:
    async with desk.database.transaction() as tx:
        rows = await tx.records(
            "SELECT resource.id, during::text FROM occupancy JOIN resource ON number = resource"
            " WHERE live ORDER BY 1, 2"
        )
    return [(row[0], row[1]) for row in rows]


class TestFinding:
    async def test_gives_the_earliest_times_first_with_everybody_who_is_free(self, desk: Desk) -> None:
        referral = await desk.accept()
        times = await found(desk, referral, "review", limit=4)
        assert [(one["start"], people_in(one)) for one in times] == [
            ("2026-06-04T13:00:00Z", ["ana"]),
            ("2026-06-04T13:15:00Z", ["ana"]),
            ("2026-06-04T13:30:00Z", ["ana"]),
            ("2026-06-04T13:45:00Z", ["ana"]),
        ]
        assert {one["status"] for one in times} == {"proposed"}

    async def test_takes_nothing(self, desk: Desk) -> None:
        referral = await desk.accept()
        before = await live_rows(desk)
        await found(desk, referral, "review")
        assert await live_rows(desk) == before

    async def test_a_language_or_a_wheelchair_narrows_what_is_shown(self, desk: Desk) -> None:
        referral = await desk.accept()
        french = await found(desk, referral, "review", language="fr")
        assert {people_in(one)[0] for one in french} == {"ben"}
        wide = await found(desk, referral, "review", wheelchair=True)
        assert {people_in(one, "Location")[0] for one in wide} == {"assessment-w"}

    async def test_the_same_clinician_is_who_sees_the_patient_at_the_first_visit(self, desk: Desk) -> None:
        referral = await desk.accept()
        first = await desk.first(referral)
        times = await found(desk, referral, "review", same_clinician=True)
        assert {people_in(one)[0] for one in times} == {first.practitioner}

    async def test_a_clinician_finds_the_own_times_alone(self, desk: Desk) -> None:
        referral = await desk.accept()
        first = await desk.first(referral)
        mine = clinician(str(first.practitioner))
        times = await found(desk, referral, "review", by=mine)
        assert {people_in(one)[0] for one in times} == {first.practitioner}

    async def test_what_the_patient_has_or_cannot_is_not_shown(self, desk: Desk) -> None:
        away = {"start": "2026-06-04", "end": "2026-06-04"}
        referral = await desk.accept(unavailable=[away])
        assert await found(desk, referral, "review") == []

    async def test_a_joint_visit_names_one_of_each_discipline(self, desk: Desk) -> None:
        referral = await desk.accept()
        times = await found(desk, referral, "joint", limit=1)
        assert people_in(times[0]) == ["ana", "zoe"]

    async def test_buffers_keep_their_distance_to_the_ends_of_the_day(self, desk: Desk) -> None:
        referral = await desk.accept()
        times = await found(desk, referral, "injection", practitioners=["ana"])
        assert (times[0]["start"], times[-1]["end"]) == ("2026-06-04T13:15:00Z", "2026-06-04T15:30:00Z")

    async def test_a_visit_that_the_programme_has_not_is_refused_with_those_it_has(self, desk: Desk) -> None:
        referral = await desk.accept()
        with pytest.raises(
            NothingToFind, match="rehab has the visits first, session, review, injection, joint, call"
        ):
            await found(desk, referral, "massage")

    async def test_a_foreign_referral_is_not_there(self, desk: Desk) -> None:
        referral = await desk.accept()
        elsewhere = Principal(client="other", party="coordinator", scopes=COORDINATOR.scopes, site="ottawa")
        with pytest.raises(NotFound):
            await found(desk, referral, "review", by=elsewhere)


class TestBooking:
    async def test_a_review_takes_its_time_and_says_of_which_kind_it_is(self, desk: Desk) -> None:
        referral = await desk.accept()
        [proposal, *_] = await found(desk, referral, "review")
        row = await desk.book(proposal)
        assert (row.status, row.kind, row.visit_type, row.practitioner) == (
            "booked",
            "review",
            "review",
            "ana",
        )
        event = (await desk.carried("appointment.booked"))[-1]
        assert event.focus["appointmentType"]["coding"][0]["code"] == "review"
        assert event.carried("Task") == []

    async def test_the_guarantee_is_met_by_a_first_visit_only(self, desk: Desk) -> None:
        referral = await desk.accept()
        row = await desk.book((await found(desk, referral, "review"))[0])
        await desk.at(local(THURSDAY, "09:00"))
        await desk.put(row, status="fulfilled")
        guarantee = await desk.guarantee(referral)
        assert guarantee.status == "on-track"

    async def test_a_procedure_takes_room_equipment_and_clinician_longer_than_its_patient(
        self, desk: Desk
    ) -> None:
        referral = await desk.accept()
        before = set(await live_rows(desk))
        row = await desk.book((await found(desk, referral, "injection"))[0])
        taken = dict(set(await live_rows(desk)) - before)
        whole = '["2026-06-04 13:00:00+00","2026-06-04 14:15:00+00")'
        visit = '["2026-06-04 13:15:00+00","2026-06-04 13:45:00+00")'
        assert taken == {
            "device/scanner-1": whole,
            "person/ana": whole,
            "room/procedure-1": whole,
            f"patient/{row.patient_id}": visit,
        }

    async def test_equipment_that_is_taken_is_named(self, desk: Desk) -> None:
        referral, other = await desk.accept(), await desk.accept()
        await desk.book((await found(desk, referral, "injection", practitioners=["ana"]))[0])
        wanted = (await found(desk, other, "injection", practitioners=["ben"]))[-1]
        at = local(THURSDAY, "10:15").isoformat()
        with pytest.raises(CannotBook, match="Scanner is taken until 2026-06-04 10:15"):
            await desk.book(wanted, start=at, end=None)

    async def test_a_telehealth_visit_takes_no_room(self, desk: Desk) -> None:
        referral = await desk.accept()
        row = await desk.book((await found(desk, referral, "call"))[0])
        assert row.room is None
        assert [one["actor"].get("reference", "") for one in msgspec.json.decode(row.body)["participant"]][
            1:
        ] == ["Practitioner/ana"]

    async def test_a_joint_first_takes_the_place_of_the_booked_first_visit(self, desk: Desk) -> None:
        referral = await desk.accept()
        was = await desk.first(referral)
        row = await desk.book((await found(desk, referral, "joint"))[0])
        assert row.id == was.id
        assert (row.kind, row.practitioner, row.colleagues) == ("joint-first", "ana", ["zoe"])
        assert (await desk.told())[-1] == "appointment.moved"
        await desk.at(local(THURSDAY, "09:00"))
        await desk.put(row, status="fulfilled")
        assert (await desk.guarantee(referral)).status == "met"

    async def test_a_first_visit_that_is_booked_is_not_booked_again(self, desk: Desk) -> None:
        referral = await desk.accept()
        with pytest.raises(CannotBook, match="first appointment is booked for 2026-06-02 09:00"):
            await desk.book((await found(desk, referral, "first"))[0])

    async def test_what_is_taken_is_named_with_until_when_and_nothing_is_written(self, desk: Desk) -> None:
        referral, other = await desk.accept(), await desk.accept()
        [proposal, *_] = await found(desk, referral, "review")
        [rival, *_] = await found(desk, other, "review")
        await desk.book(proposal)
        before = (await live_rows(desk), await desk.told())
        with pytest.raises(CannotBook, match=r"P\. Ana has another appointment until 2026-06-04 09:30"):
            await desk.book(rival)
        assert (await live_rows(desk), await desk.told()) == before
        assert await desk.visits(other) == []

    async def test_a_clinician_books_what_is_their_own_alone(self, desk: Desk) -> None:
        referral = await desk.accept()
        first = await desk.first(referral)
        mine, other = str(first.practitioner), "ben" if first.practitioner == "ana" else "ana"
        times = await found(desk, referral, "review")
        of_other = next(one for one in times if people_in(one) == [other])
        with pytest.raises(VisitOfAnother):
            await desk.book(of_other, by=clinician(mine))
        of_mine = next(one for one in times if people_in(one) == [mine])
        assert (await desk.book(of_mine, by=clinician(mine))).practitioner == mine

    async def test_the_past_and_an_ended_referral_are_refused(self, desk: Desk) -> None:
        referral = await desk.accept()
        [proposal, *_] = await found(desk, referral, "review")
        with pytest.raises(CannotBook, match="lies in the past"):
            await desk.book(proposal, start="2026-05-04T13:00:00Z", end=None)
        await desk.end(referral)
        with pytest.raises(CannotBook, match="has ended"):
            await desk.book(proposal)

    async def test_an_end_that_does_not_fit_is_refused_with_the_one_that_does(self, desk: Desk) -> None:
        referral = await desk.accept()
        [proposal, *_] = await found(desk, referral, "review")
        with pytest.raises(Invalid, match="takes 30 minutes, so it would end at 2026-06-04T13:30:00Z"):
            await desk.book(proposal, end="2026-06-04T14:00:00Z")

    async def test_of_32_who_want_the_last_time_one_books(self, desk: Desk) -> None:
        referrals = [await desk.accept() for _ in range(32)]
        day = date(2026, 8, 6)
        [proposal] = await desk.find(
            local(day, "09:00"), local(day, "09:30"), referral_id=UUID(referrals[0]), visit="call"
        )
        urls = [{**proposal, "basedOn": [{"reference": f"ServiceRequest/{one}"}]} for one in referrals]
        results = await asyncio.gather(*(desk.book(one) for one in urls), return_exceptions=True)
        refused = [one for one in results if isinstance(one, CannotBook)]
        assert (len(results) - len(refused), len(refused)) == (1, 31)
        booked = [row for one in referrals for row in await desk.visits(one)]
        assert len(booked) == 1


class TestASessionMore:
    async def test_takes_the_place_of_one_that_was_called_off_and_is_of_the_series(self, desk: Desk) -> None:
        referral = await desk.accept(payer="insurer")
        await desk.authorize(referral, units=4)
        first, *others = await desk.sessions(referral)
        assert len(others) == 3
        day = date(2026, 7, 2)
        times = {"referral_id": UUID(referral), "visit": "session"}
        [proposal, *_] = await desk.find(local(day, "00:00"), local(day, "23:59"), **times)
        with pytest.raises(CannotBook, match="All 4 sessions that may be had are booked or used"):
            await desk.book(proposal)
        called_off = {"coding": [{"system": _CANCELLATIONS, "code": "pat"}]}
        await desk.put(first, status="cancelled", cancelationReason=called_off)
        row = await desk.book(proposal)
        assert (row.kind, row.series_id, row.status) == ("session", first.series_id, "booked")
        series = await desk.series(referral)
        assert series is not None
        assert str(row.id) in series.body.decode()
        with pytest.raises(CannotBook, match="All 4 sessions"):
            await desk.hold(proposal, start=local(date(2026, 7, 9), "10:00").isoformat(), end=None)
        await desk.authorize(referral, status="denied")
        assert [one.status for one in await desk.appointments(referral, kind="session")].count(
            "cancelled"
        ) == 5

    async def test_keeps_the_pace_of_the_programme(self, desk: Desk) -> None:
        referral = await desk.accept(payer="insurer")
        await desk.authorize(referral, units=4)
        sessions = await desk.sessions(referral)
        called_off = {"coding": [{"system": _CANCELLATIONS, "code": "pat"}]}
        await desk.put(sessions[0], status="cancelled", cancelationReason=called_off)
        full = sessions[-1].starts_at
        assert full is not None
        wanted = {
            "resourceType": "Appointment",
            "status": "proposed",
            "appointmentType": {
                "coding": [
                    {"system": "https://lumbar.care/fhir/CodeSystem/appointment-kind", "code": "session"}
                ]
            },
            "basedOn": [{"reference": f"ServiceRequest/{referral}"}],
            "start": (full + timedelta(hours=1)).isoformat(),
        }
        with pytest.raises(CannotBook, match="at most 2 sessions a week"):
            await desk.book(wanted)

    async def test_needs_a_series_that_is_booked(self, desk: Desk) -> None:
        referral = await desk.accept(payer="insurer")
        [proposal, *_] = await found(desk, referral, "session")
        with pytest.raises(CannotBook, match="beside a series that is booked"):
            await desk.book(proposal)


class TestChanging:
    async def test_a_review_moves_and_is_called_off_as_every_visit_is(self, desk: Desk) -> None:
        referral = await desk.accept()
        row = await desk.book((await found(desk, referral, "review"))[0])
        moved = await desk.put(row, start="2026-06-04T14:00:00Z", end="2026-06-04T14:30:00Z")
        assert (moved.practitioner, moved.starts_at) == ("ana", local(THURSDAY, "10:00"))
        reason = {"coding": [{"system": _CANCELLATIONS, "code": "pat"}]}
        off = await desk.put(moved, status="cancelled", cancelationReason=reason)
        assert off.status == "cancelled"
        assert [one for one in await live_rows(desk) if "06-04 14:00" in one[1]] == []
        assert (await desk.told())[-2:] == ["appointment.moved", "appointment.cancelled"]

    async def test_a_joint_visit_moves_with_all_its_people_or_not_at_all(self, desk: Desk) -> None:
        referral = await desk.accept()
        row = await desk.book((await found(desk, referral, "joint"))[0])
        with pytest.raises(CannotMove, match=r"P\. Ana has no hours"):
            await desk.put(row, start="2026-06-04T17:00:00Z", end="2026-06-04T18:00:00Z")
        [stands] = await desk.appointments(referral, kind="joint-first")
        assert stands.starts_at == row.starts_at

    async def test_the_end_of_a_referral_calls_its_reviews_off(self, desk: Desk) -> None:
        referral = await desk.accept()
        await desk.book((await found(desk, referral, "review"))[0])
        await desk.end(referral)
        assert [row.status for row in await desk.visits(referral)] == ["cancelled"]

    async def test_a_status_recorded_by_mistake_is_corrected(self, desk: Desk) -> None:
        referral = await desk.accept()
        row = await desk.book((await found(desk, referral, "review"))[0])
        await desk.at(local(THURSDAY, "09:00"))
        missed = await desk.put(row, status="noshow")
        corrected = await desk.correct(missed, "fulfilled")
        assert corrected.status == "fulfilled"
        assert (await desk.told())[-1] == "appointment.corrected"


_CANCELLATIONS = "http://terminology.hl7.org/CodeSystem/appointment-cancellation-reason"
