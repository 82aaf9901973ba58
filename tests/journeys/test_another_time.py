"""A patient cannot come to the visit that is booked: the days count as their delay and are booked no more."""

from datetime import date, timedelta
from typing import Any

from deploy.demo.stories.s18_questions import CANCELLED_BY
from tests.integration.referral.doors import located, send
from tests.journeys.stage import play
from tests.support import referrals
from tests.support.clinic import TestClinic

PRACTICE = "family-practice"


async def first_visit(clinic: TestClinic, referral: str) -> dict[str, Any]:
    path = f"/scheduling/fhir/Appointment?based-on=ServiceRequest/{referral}&status=booked"
    found = (await clinic.as_("coordinator").get(path)).json()["entry"]
    return found[0]["resource"]


async def cannot_come(clinic: TestClinic, referral: str, first: date, last: date) -> None:
    given = {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "reason", "valueString": "A wedding"},
            {"name": "from", "valueDate": first.isoformat()},
            {"name": "to", "valueDate": last.isoformat()},
        ],
    }
    address = f"/referral/fhir/ServiceRequest/{referral}/$request-another-time"
    answer = await clinic.as_(PRACTICE).post(address, json=given)
    assert answer.status_code == 200, answer.text
    await clinic.settle()


async def test_what_is_booked_stands_and_the_next_time_is_on_none_of_these_days(clinic: TestClinic) -> None:
    referral = located(await send(clinic, referrals.bundle()))
    await clinic.settle()
    booked = await first_visit(clinic, referral)
    day = date.fromisoformat(booked["start"][:10])
    await cannot_come(clinic, referral, day, day + timedelta(days=6))
    assert (await first_visit(clinic, referral))["id"] == booked["id"]

    by_patient = {"coding": [{"system": CANCELLED_BY, "code": "pat"}]}
    called_off = booked | {"status": "cancelled", "cancelationReason": by_patient}
    answer = await clinic.as_("coordinator").put(
        f"/scheduling/fhir/Appointment/{booked['id']}",
        json=called_off,
        headers={"If-Match": f'W/"{booked["meta"]["versionId"]}"'},
    )
    assert answer.status_code == 200, answer.text
    await clinic.settle()
    again = date.fromisoformat((await first_visit(clinic, referral))["start"][:10])
    assert again > day + timedelta(days=6)


async def test_the_story_of_it_happens(clinic: TestClinic) -> None:
    await play(clinic, 18, days=40)
