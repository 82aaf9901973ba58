"""What people do in careteam, as calls with their own tokens."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from shared.fhir.codes import LOINC, LUMBAR, TASK_CODE_SYSTEM
from tests.integration.careteam.events import an_appointment
from tests.support.clinic import TestClinic
from tests.support.sql import sql

Resource = dict[str, Any]
BASE = "/careteam/fhir"
FIVE = ("physiatrist", "physiotherapist", "occupational-therapist", "psychologist", "pain-physician")


async def booked(clinic: TestClinic, referral: str = "r1", **fields: Any) -> None:
    await clinic.publish("appointment.booked", focus=an_appointment(referral, **fields))
    await clinic.settle()


async def seen(clinic: TestClinic, referral: str = "r1", **fields: Any) -> None:
    await booked(clinic, referral, **fields)
    visit = an_appointment(referral, **{**fields, "status": "fulfilled"})
    await clinic.publish("appointment.fulfilled", focus=visit)
    await clinic.settle()


async def found(clinic: TestClinic, search: str, *, by: str = "coordinator") -> list[Resource]:
    answer = await clinic.as_(by).get(f"{BASE}/{search}")
    assert answer.status_code == 200, answer.text
    bundle = answer.json()
    entries = [entry["resource"] for entry in bundle.get("entry", [])]
    assert bundle["total"] == len(entries)
    return entries


async def one(clinic: TestClinic, search: str, *, by: str = "coordinator") -> Resource:
    everything = await found(clinic, search, by=by)
    assert len(everything) == 1, everything
    return everything[0]


async def put(
    clinic: TestClinic, resource: Resource, *, by: str, version: str | None = None
) -> httpx.Response:
    return await clinic.as_(by).put(
        f"{BASE}/{resource['resourceType']}/{resource['id']}",
        json=resource,
        headers={"If-Match": f'W/"{version or resource["meta"]["versionId"]}"'},
    )


async def post(clinic: TestClinic, resource: Resource, *, by: str) -> httpx.Response:
    return await clinic.as_(by).post(f"{BASE}/{resource['resourceType']}", json=resource)


async def active_plan(clinic: TestClinic, *, by: str = "physiatrist", patient: str = "patient-1") -> Resource:
    draft = await one(clinic, f"CarePlan?patient={patient}&status=draft", by=by)
    answer = await put(clinic, draft | {"status": "active", "activity": [WALKING]}, by=by)
    assert answer.status_code == 200, answer.text
    await clinic.settle()
    plan: Resource = answer.json()
    return plan


WALKING = {"detail": {"status": "scheduled", "description": "Walk for ten minutes, twice a day"}}


def a_rating(score: object, *, patient: str = "patient-1", **more: Any) -> Resource:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": LOINC, "code": "72514-3"}]},
        "subject": {"reference": f"Patient/{patient}"},
        "valueInteger": score,
        **more,
    }


def oswestry(*answers: int, patient: str = "patient-1", **more: Any) -> Resource:
    return {
        "resourceType": "QuestionnaireResponse",
        "status": "completed",
        "questionnaire": f"{LUMBAR}/Questionnaire/oswestry",
        "subject": {"reference": f"Patient/{patient}"},
        "item": [
            {"linkId": f"section-{number}", "answer": [{"valueInteger": answer}]}
            for number, answer in enumerate(answers, start=1)
        ],
        **more,
    }


async def rated(clinic: TestClinic, score: int, *, by: str = "psychologist") -> Resource:
    answer = await post(clinic, a_rating(score), by=by)
    assert answer.status_code == 201, answer.text
    await clinic.settle()
    observation: Resource = answer.json()
    return observation


def a_case(why: str, *, patient: str = "patient-1") -> Resource:
    return {
        "resourceType": "Task",
        "status": "requested",
        "intent": "plan",
        "code": {"coding": [{"system": TASK_CODE_SYSTEM, "code": "agenda-item"}]},
        "for": {"reference": f"Patient/{patient}"},
        "reasonCode": {"text": why},
    }


def a_message(text: str, *, patient: str = "patient-1", **more: Any) -> Resource:
    return {
        "resourceType": "Communication",
        "status": "completed",
        "subject": {"reference": f"Patient/{patient}"},
        "payload": [{"contentString": text}],
        **more,
    }


async def case_of(clinic: TestClinic, *, by: str = "physiatrist") -> Resource:
    return await one(clinic, "Task?code=agenda-item&status=requested", by=by)


async def with_a_case(clinic: TestClinic) -> Resource:
    await seen(clinic)
    await active_plan(clinic)
    return await case_of(clinic)


async def next_meeting(clinic: TestClinic) -> Resource:
    now = clinic.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    meetings = await found(clinic, f"Appointment?date=ge{now}&status=booked&_sort=date")
    return meetings[0]


def start_of(meeting: Resource) -> datetime:
    return datetime.fromisoformat(meeting["start"]).astimezone(UTC)


async def chair(
    clinic: TestClinic, meeting: Resource, verb: str, *parameters: Resource, by: str = "physiatrist"
) -> httpx.Response:
    answer = await clinic.as_(by).post(
        f"{BASE}/Appointment/{meeting['id']}/${verb}",
        json={"resourceType": "Parameters"} | ({"parameter": list(parameters)} if parameters else {}),
    )
    await clinic.settle()
    return answer


def attended(*people: str) -> list[Resource]:
    return [
        {"name": "attended", "valueReference": {"reference": f"Practitioner/{person}"}} for person in people
    ]


def deciding(case: Resource, text: str, *more: Resource) -> list[Resource]:
    about = {"name": "case", "valueReference": {"reference": f"Task/{case['id']}"}}
    return [about, {"name": "decision", "valueString": text}, *more]


def asking(owner: str, description: str, due: str) -> Resource:
    return {
        "name": "action",
        "part": [
            {"name": "owner", "valueReference": {"reference": f"Practitioner/{owner}"}},
            {"name": "description", "valueString": description},
            {"name": "due", "valueDate": due},
        ],
    }


async def open_with(clinic: TestClinic, *people: str) -> Resource:
    meeting = await next_meeting(clinic)
    await clinic.at(start_of(meeting))
    answer = await chair(clinic, meeting, "open", *attended(*people))
    assert answer.status_code == 200, answer.text
    opened: Resource = answer.json()
    return opened


def later(clinic: TestClinic, **span: int) -> str:
    return (clinic.clock.now() + timedelta(**span)).date().isoformat()


async def counts(clinic: TestClinic) -> dict[str, int]:
    """Count all that a refused call could have written: rows, versions, waiting and published events,
    timers.
    """
    tables = (
        "team_member",
        "care_task",
        "outcome",
        "answers",
        "message",
        "plan",
        "goal",
        "decision",
        "minutes",
    )
    async with clinic.databases["careteam"].transaction() as tx:
        counted = {
            table: int((await sql(tx, f"SELECT count(*) FROM {table}")).scalar() or 0)
            for table in (*tables, "resource_version", "timer", "outbox")
        }
    return counted | {"events": len(await clinic.events())}


def problems(answer: httpx.Response) -> list[str]:
    """Give the FHIRPaths that an OperationOutcome complains of."""
    return [expression for issue in answer.json()["issue"] for expression in issue.get("expression", [])]
