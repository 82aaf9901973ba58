"""A patient who permits e-mail: referred, booked and told, with what stands behind the link of a letter."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import httpx

from tests.integration.referral.test_correcting_a_patient import consent, correct
from tests.support import referrals
from tests.support.clinic import TestClinic
from tests.support.mailbox import Mailbox, text_of
from tests.support.sql import sql

CANCELLATION = "http://terminology.hl7.org/CodeSystem/appointment-cancellation-reason"
BORN = "1981-05-17"
EMAIL = [{"system": "email", "value": "noor@example.org"}]


async def refer(clinic: TestClinic) -> str:
    """Send a referral and give the id of its patient."""
    sent = referrals.bundle()
    referrals.resource(sent, "Patient").update({"telecom": EMAIL, "birthDate": BORN})
    answer = await clinic.as_("family-practice").post("/referral/fhir", json=sent)
    assert answer.status_code == 200, answer.text
    await clinic.settle()
    found = await clinic.as_("coordinator").get("/referral/fhir/Patient")
    return str(found.json()["entry"][0]["resource"]["id"])


async def booked(clinic: TestClinic) -> dict[str, Any]:
    """Give the first visit that is booked."""
    found = await clinic.as_("coordinator").get("/scheduling/fhir/Appointment?status=booked")
    entries = found.json()["entry"]
    assert len(entries) == 1
    visit: dict[str, Any] = entries[0]["resource"]
    return visit


async def visit_now(clinic: TestClinic, visit: Mapping[str, Any]) -> dict[str, Any]:
    found = await clinic.as_("coordinator").get(f"/scheduling/fhir/Appointment/{visit['id']}")
    now: dict[str, Any] = found.json()
    return now


def to_patient(mailbox: Mailbox) -> list[Any]:
    return [
        letter
        for letter, address in zip(mailbox.letters, mailbox.recipients, strict=True)
        if address == "noor@example.org"
    ]


def files_of(letter: Any) -> list[bytes]:
    """Give the calendar files of a letter."""
    parts = [part for part in letter.walk() if part.get_content_type() == "text/calendar"]
    return [part.get_payload(decode=True) for part in parts]


def secret_in(letter: Any) -> str:
    found = re.search(r"/m/([\w-]{40,})[?]lang=(?:en|fr)\s", text_of(letter))
    assert found is not None
    return found.group(1)


async def call(clinic: TestClinic, act: str, secret: str, **said: Any) -> httpx.Response:
    body = {"token": secret, "birth_date": BORN, **said}
    return await clinic.anonymous().post(f"/notifications/links/{act}", json=body)


async def put(clinic: TestClinic, visit: Mapping[str, Any]) -> httpx.Response:
    seen = {"If-Match": f'W/"{visit["meta"]["versionId"]}"'}
    address = f"/scheduling/fhir/Appointment/{visit['id']}"
    return await clinic.as_("coordinator").put(address, json=visit, headers=seen)


async def move(clinic: TestClinic, visit: Mapping[str, Any]) -> dict[str, Any]:
    """Give a visit the same hour of the next day on which that is free, and say so to who must hear."""
    now = await visit_now(clinic, visit)
    for days in range(1, 15):
        later = {
            end: (datetime.fromisoformat(now[end]) + timedelta(days=days)).isoformat()
            for end in ("start", "end")
        }
        answer = await put(clinic, now | later)
        if answer.status_code == 200:
            break
    else:
        raise AssertionError(answer.text)
    await clinic.settle()
    return await visit_now(clinic, visit)


async def call_off(clinic: TestClinic, visit: Mapping[str, Any]) -> None:
    reason = {"coding": [{"system": CANCELLATION, "code": "prov"}]}
    now = await visit_now(clinic, visit) | {"status": "cancelled", "cancelationReason": reason}
    answer = await put(clinic, now)
    assert answer.status_code == 200, answer.text
    await clinic.settle()


async def telephone_list(clinic: TestClinic) -> list[dict[str, Any]]:
    """List whom the coordinator is to telephone."""
    found = await clinic.as_("coordinator").get(
        "/scheduling/fhir/Task?code=tell-patient&status=requested&_count=50"
    )
    assert found.status_code == 200, found.text
    return [entry["resource"] for entry in found.json().get("entry", [])]


async def kept(clinic: TestClinic, table: str) -> list[Any]:
    async with clinic.databases["notifications"].transaction() as tx:
        return list(await sql(tx, f"SELECT * FROM {table}"))


async def told_patient(clinic: TestClinic) -> dict[str, Any]:
    """Refer a patient who then permits e-mail; give the first visit, of whose new time a letter told."""
    patient = await refer(clinic)
    await clinic.days(1)
    visit = await booked(clinic)
    await correct(clinic, patient, extension=[consent("email")])
    await clinic.settle()
    return await move(clinic, visit)
