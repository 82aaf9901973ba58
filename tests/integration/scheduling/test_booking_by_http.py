"""$find and $book by HTTP, with the example clinic: who may, what is answered, what is refused and how."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from tests.integration.scheduling.test_doors import first_of, refer
from tests.support.clinic import TestClinic

APPOINTMENT = "/scheduling/fhir/Appointment"


@pytest_asyncio.fixture
async def clinic() -> AsyncIterator[TestClinic]:
    async with TestClinic(services=("scheduling",)) as running:
        yield running


async def find(clinic: TestClinic, who: str = "coordinator", **said: Any) -> Any:
    start = clinic.clock.now() + timedelta(days=14)
    days = said.pop("days", 7)
    given: list[dict[str, Any]] = [
        {"name": "start", "valueDateTime": start.isoformat()},
        {"name": "end", "valueDateTime": (start + timedelta(days=days)).isoformat()},
    ]
    for name, value in said.items():
        name = name if name == "_count" else name.replace("_", "-")
        member = {int: "valueInteger", str: "valueCode", dict: "valueReference"}[type(value)]
        given.append({"name": name, member: value})
    body = {"resourceType": "Parameters", "parameter": given}
    return await clinic.as_(who).post(f"{APPOINTMENT}/$find", json=body)


async def book(clinic: TestClinic, appointment: dict[str, Any], who: str = "coordinator") -> Any:
    given = [{"name": "appointment-resource", "resource": appointment}]
    body = {"resourceType": "Parameters", "parameter": given}
    return await clinic.as_(who).post(f"{APPOINTMENT}/$book", json=body)


def of(referral: str) -> dict[str, str]:
    return {"reference": f"ServiceRequest/{referral}"}


async def test_a_coordinator_finds_a_review_and_books_it(clinic: TestClinic) -> None:
    referral = await refer(clinic)
    answer = await find(clinic, visit_type="review", referral=of(referral), _count=3)
    assert answer.status_code == 200, answer.text
    bundle = answer.json()
    assert (bundle["type"], len(bundle["entry"]), "total" in bundle) == ("searchset", 3, False)
    proposal = bundle["entry"][0]["resource"]
    booked = await book(clinic, proposal)
    assert booked.status_code == 200, booked.text
    visit = booked.json()
    assert (visit["status"], visit["start"]) == ("booked", proposal["start"])
    read = await clinic.as_("coordinator").get(f"{APPOINTMENT}/{visit['id']}")
    assert read.json() == visit
    kinds = await clinic.as_("coordinator").get(f"{APPOINTMENT}?appointment-type=review")
    assert [entry["resource"]["id"] for entry in kinds.json()["entry"]] == [visit["id"]]


async def test_total_stands_where_all_fits_the_page(clinic: TestClinic) -> None:
    referral = await refer(clinic)
    answer = await find(clinic, visit_type="review", referral=of(referral), _count=100, days=1)
    bundle = answer.json()
    assert bundle["total"] == len(bundle.get("entry", []))


async def test_a_time_that_is_taken_is_409_and_names_the_clinician(clinic: TestClinic) -> None:
    referral, other = await refer(clinic), await refer(clinic)
    answer = await find(clinic, visit_type="telephone-review", referral=of(referral), _count=1)
    proposal = answer.json()["entry"][0]["resource"]
    assert (await book(clinic, proposal)).status_code == 200
    refused = await book(clinic, proposal | {"basedOn": [of(other)]})
    assert refused.status_code == 409
    [issue] = refused.json()["issue"]
    assert "Lindqvist has another appointment until" in issue["details"]["text"]


async def test_a_visit_is_moved_and_called_off_by_book_too(clinic: TestClinic) -> None:
    referral = await refer(clinic)
    answer = await find(clinic, visit_type="review", referral=of(referral), _count=30)
    first, *_, last = (entry["resource"] for entry in answer.json()["entry"])
    visit = (await book(clinic, first)).json()
    moved = await book(clinic, visit | {"start": last["start"], "end": last["end"]})
    assert (moved.status_code, moved.json()["start"]) == (200, last["start"])
    system = "http://terminology.hl7.org/CodeSystem/appointment-cancellation-reason"
    reason = {"coding": [{"system": system, "code": "pat"}]}
    off = await book(clinic, moved.json() | {"status": "cancelled", "cancelationReason": reason})
    assert (off.status_code, off.json()["status"]) == (200, "cancelled")


async def test_what_somebody_has_moved_meanwhile_is_not_moved_back(clinic: TestClinic) -> None:
    answer = await find(clinic, visit_type="review", referral=of(await refer(clinic)), _count=30)
    first, *_, last = (entry["resource"] for entry in answer.json()["entry"])
    read = (await book(clinic, first)).json()
    moved = await book(clinic, read | {"start": last["start"], "end": last["end"]})
    assert moved.status_code == 200
    stale = await book(clinic, read)
    assert stale.status_code == 409
    assert "changed since version 1 was read" in stale.text
    stands = await clinic.as_("coordinator").get(f"{APPOINTMENT}/{read['id']}")
    assert stands.json()["start"] == last["start"]


async def test_what_is_wrong_is_refused_where_it_stands(clinic: TestClinic) -> None:
    referral = await refer(clinic)
    answer = await find(clinic, visit_type="review", referral=of(referral), days=-1, _count=0)
    assert answer.status_code == 422
    places = [issue["expression"] for issue in answer.json()["issue"]]
    named = [[f"Parameters.parameter.where(name='{name}')"] for name in ("end", "_count")]
    assert places == named
    wrong = await book(
        clinic,
        {
            "resourceType": "Appointment",
            "status": "proposed",
            "participant": [
                {"actor": {"reference": "Practitioner/physiotherapist"}, "status": "needs-action"}
            ],
        },
    )
    assert wrong.status_code == 422
    assert {issue["expression"][0].rpartition(".")[2] for issue in wrong.json()["issue"]} == {
        "basedOn",
        "serviceType",
        "start",
    }


@pytest.mark.parametrize(
    ("name", "given", "says"),
    [
        ("start", {"valueDateTime": "2026-03-20T09:00:00"}, "with a time zone"),
        ("start", {"valueDateTime": "2026-03-20"}, "start is an instant with a zone"),
        ("visit-type", {"valueCode": "massage"}, "rapid-access has the visits first, review"),
        (
            "referral",
            {"valueReference": {"reference": "ServiceRequest/x"}},
            "a ServiceRequest of this clinic",
        ),
        ("end", {"valueDateTime": "2026-12-24T09:00:00Z"}, "at most 190 days after start"),
        ("start", {"valueString": "tomorrow"}, "this parameter has a valueDateTime"),
        ("colour", {"valueString": "blue"}, "there is no such parameter here"),
    ],
)
async def test_an_impossible_question_is_refused_with_what_is_allowed(
    clinic: TestClinic, name: str, given: dict[str, Any], says: str
) -> None:
    usual = {
        "start": {"valueDateTime": "2026-03-20T09:00:00Z"},
        "end": {"valueDateTime": "2026-03-27T09:00:00Z"},
        "visit-type": {"valueCode": "review"},
        "referral": {"valueReference": of(await refer(clinic))},
    }
    asked = [{"name": key, **value} for key, value in ({**usual, name: given}).items()]
    answer = await call(clinic, "$find", *asked)
    assert answer.status_code == 422
    assert says in answer.text


async def test_a_clinician_of_no_team_of_it_sees_no_times_for_a_referral(clinic: TestClinic) -> None:
    referral = await refer(clinic)
    first = await first_of(clinic, referral)
    answer = await find(clinic, "psychologist", visit_type="review", referral=of(referral))
    assert answer.status_code == 404
    refused = await book(
        clinic,
        {
            "resourceType": "Appointment",
            "status": "proposed",
            "appointmentType": first["appointmentType"],
            "start": first["start"],
            "end": first["end"],
            "basedOn": [of(referral)],
            "participant": [{"actor": {"reference": "Practitioner/psychologist"}, "status": "needs-action"}],
        },
        "psychologist",
    )
    assert refused.status_code == 404


async def test_an_insurer_finds_and_books_nothing(clinic: TestClinic) -> None:
    referral = await refer(clinic)
    assert (
        await find(clinic, "workplace-insurer", visit_type="review", referral=of(referral))
    ).status_code == 403


async def call(
    clinic: TestClinic, verb: str, *given: dict[str, Any], who: str = "coordinator", **headers: str
) -> Any:
    body = {"resourceType": "Parameters", "parameter": list(given)}
    return await clinic.as_(who).post(f"{APPOINTMENT}/{verb}", json=body, headers=headers)


def sent(appointment: dict[str, Any]) -> dict[str, Any]:
    return {"name": "appointment-resource", "resource": appointment}


async def proposed(clinic: TestClinic, referral: str, visit: str = "review") -> dict[str, Any]:
    answer = await find(clinic, visit_type=visit, referral=of(referral), _count=1)
    resource: dict[str, Any] = answer.json()["entry"][0]["resource"]
    return resource


async def visits(clinic: TestClinic, kind: str = "review") -> list[dict[str, Any]]:
    found = await clinic.as_("coordinator").get(f"{APPOINTMENT}?appointment-type={kind}")
    return [entry["resource"] for entry in found.json().get("entry", [])]


async def test_a_repeated_key_books_once_and_says_the_same(clinic: TestClinic) -> None:
    proposal = await proposed(clinic, await refer(clinic))
    key = {"Idempotency-Key": "one"}
    answers = [await call(clinic, "$book", sent(proposal), **key) for _ in range(2)]
    assert [one.status_code for one in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    assert len(await visits(clinic)) == 1


async def test_a_hold_is_booked_by_its_reference_and_by_nobody_else(clinic: TestClinic) -> None:
    proposal = await proposed(clinic, await refer(clinic))
    held = await call(clinic, "$hold", sent(proposal))
    assert (held.status_code, held.json()["status"]) == (200, "pending")
    again = await call(clinic, "$hold", sent(proposal))
    assert again.status_code == 409
    reference = {
        "name": "appointment-reference",
        "valueReference": {"reference": f"Appointment/{held.json()['id']}"},
    }
    first = (await visits(clinic, "first"))[0]
    mine = first["participant"][1]["actor"]["reference"].rpartition("/")[2]
    other = await call(clinic, "$book", reference, who=mine)
    assert other.status_code == 409
    assert "Somebody else holds this time until" in other.text
    booked = await call(clinic, "$book", reference)
    assert (booked.status_code, booked.json()["status"]) == (200, "booked")
    both = await call(clinic, "$book", reference, sent(proposal))
    assert both.status_code == 422


async def test_of_many_who_want_one_time_one_gets_it_and_the_rest_write_nothing(clinic: TestClinic) -> None:
    referrals = [await refer(clinic) for _ in range(8)]
    proposal = await proposed(clinic, referrals[0], "telephone-review")
    wanted = [proposal | {"basedOn": [of(one)]} for one in referrals]
    answers = await asyncio.gather(*(call(clinic, "$book", sent(one)) for one in wanted))
    assert sorted(one.status_code for one in answers) == [200] + 7 * [409]
    assert len(await visits(clinic, "telehealth")) == 1


async def test_who_overbooks_says_why_and_has_the_right(clinic: TestClinic) -> None:
    proposal = await proposed(clinic, await refer(clinic))
    silent = await call(clinic, "$book", sent(proposal), {"name": "overbook", "valueBoolean": True})
    assert silent.status_code == 422
    why = {"name": "reason", "valueString": "She cannot wait."}
    refused = await call(clinic, "$book", sent(proposal), {"name": "overbook", "valueBoolean": True}, why)
    assert refused.status_code == 403
    assert await visits(clinic) == []


async def test_a_group_is_cancelled_for_all_by_staff_and_no_seat_names_another(clinic: TestClinic) -> None:
    referrals = [await refer(clinic) for _ in range(2)]
    proposal = await proposed(clinic, referrals[0], "back-school")
    seats = [(await book(clinic, proposal | {"basedOn": [of(one)]})).json() for one in referrals]
    patients = [one["participant"][0]["actor"]["reference"] for one in seats]
    assert patients[0] not in str(seats[1])
    address = f"{APPOINTMENT}/{seats[0]['id']}"
    offered = await clinic.as_("coordinator").get(f"{address}/$available-actions")
    assert "cancel-group" in offered.text
    body = {"resourceType": "Parameters", "parameter": [{"name": "reason", "valueString": "Ill."}]}
    assert (
        await clinic.as_("family-practice").post(f"{address}/$cancel-group", json=body)
    ).status_code == 403
    assert (await clinic.as_("coordinator").post(f"{address}/$cancel-group", json=body)).status_code == 200
    assert {one["status"] for one in await visits(clinic, "group")} == {"cancelled"}


async def test_a_referrer_changes_no_visit_by_booking(clinic: TestClinic) -> None:
    referral = await refer(clinic)
    first = await first_of(clinic, referral)
    reason = {"coding": [{"system": _CANCELLATIONS, "code": "pat"}]}
    off = first | {"status": "cancelled", "cancelationReason": reason}
    refused = await call(clinic, "$book", sent(off), who="family-practice")
    assert refused.status_code == 403
    assert (await call(clinic, "$book", sent(off), who="second-practice")).status_code == 404
    assert (await first_of(clinic, referral))["status"] == "booked"


_CANCELLATIONS = "http://terminology.hl7.org/CodeSystem/appointment-cancellation-reason"
