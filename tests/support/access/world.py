"""A clinic in which two practices, two insurers and three teams have something to hide from each other."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from deploy.demo.bundles import example
from shared.fhir import codes
from shared.fhir.codes import LOINC, LUMBAR, TASK_CODE_SYSTEM
from tests.support.attachments import PDF, document
from tests.support.clinic import TestClinic

Resource = dict[str, Any]
# Who refers whom: the public patient is referred by both practices.
SENT = {
    "public": ("family-practice", "01-rapid-access-routine.json"),
    "workplace": ("family-practice", "04-workplace-insurer.json"),
    "motor": ("second-practice", "05-motor-vehicle-insurer.json"),
    "twice": ("second-practice", "01-rapid-access-routine.json"),
}


@dataclass(kw_only=True)
class World:
    """The clinic with what was sent to it; `sent` says in which referral a resource came first."""

    clinic: TestClinic
    referrals: dict[str, str] = field(default_factory=dict)
    patients: dict[str, str] = field(default_factory=dict)
    sent: dict[str, str] = field(default_factory=dict)

    async def call(self, party: str, method: str, path: str, *, body: Any = None, **headers: str) -> Resource:
        """Call as a party and expect that it works."""
        answer = await self.clinic.as_(party).request(method, path, json=body, headers=headers)
        assert answer.status_code < 300, f"{method} {path}: {answer.text}"
        done: Resource = answer.json()
        return done

    async def find(self, party: str, path: str) -> list[Resource]:
        """Search as a party."""
        return [entry["resource"] for entry in (await self.call(party, "GET", path)).get("entry", [])]

    async def change(self, party: str, path: str, **members: Any) -> Resource:
        """Read, change members and put back as a party."""
        current = await self.call(party, "GET", path)
        version = f'W/"{current["meta"]["versionId"]}"'
        return await self.call(party, "PUT", path, body=current | members, **{"If-Match": version})


async def populate(world: World) -> None:
    """Let referrals arrive, insurers answer, patients be seen, teams work and meet."""
    for name, (practice, file) in SENT.items():
        await _send(world, name, practice, file)
        await _attach(world, name, practice)
    await world.clinic.settle()
    await _answer(world, "workplace-insurer", "A1")
    await _answer(world, "motor-insurer", "A4")
    for name in ("public", "workplace", "motor"):
        await _see(world, name)
    for name, clinician in (
        ("public", "physiatrist"),
        ("workplace", "occupational-therapist"),
        ("motor", "psychologist"),
    ):
        await _care(world, world.patients[name], clinician)
    await _meet(world)


async def withdraw_consent(world: World, name: str) -> None:
    """Let the patient of a referral withdraw the Consent that came with it."""
    consents = [key for key, of in world.sent.items() if of == name and key.startswith("Consent/")]
    practice = SENT[name][0]
    ended = await world.call(practice, "GET", f"/referral/fhir/{consents[0]}")
    ended = {one: value for one, value in ended.items() if one not in ("id", "meta")} | {"status": "inactive"}
    body = {"resourceType": "Parameters", "parameter": [{"name": "consent", "resource": ended}]}
    path = f"/referral/fhir/ServiceRequest/{world.referrals[name]}/$provide-information"
    await world.call(practice, "POST", path, body=body)
    await world.clinic.settle()


async def remove_member(world: World, name: str, person: str) -> None:
    """Take a person out of the team of a referral's patient."""
    team = (await world.find("coordinator", f"/careteam/fhir/CareTeam?patient={world.patients[name]}"))[0]
    stay = [one for one in team["participant"] if person not in one["member"]["reference"]]
    assert len(stay) < len(team["participant"])
    await world.change("coordinator", f"/careteam/fhir/CareTeam/{team['id']}", participant=stay)
    await world.clinic.settle()


async def _send(world: World, name: str, practice: str, file: str) -> None:
    text = example(file, at=world.clinic.clock.now()).decode()
    if name == "twice":
        text = text.replace("EF-10412", "BV-9").replace("elm-street", "bayview")
    answer = await world.call(practice, "POST", "/referral/fhir", body=msgspec.json.decode(text))
    for entry in answer["entry"]:
        kind, key, *_ = entry["response"]["location"].split("/")
        world.sent.setdefault(f"{kind}/{key}", name)
        if kind in ("ServiceRequest", "Patient"):
            (world.referrals if kind == "ServiceRequest" else world.patients)[name] = key


async def _attach(world: World, name: str, practice: str) -> None:
    """Let a report follow the referral, in its own form."""
    made = await world.clinic.as_(practice).post(
        "/referral/fhir/Binary", content=PDF, headers={"content-type": "application/pdf"}
    )
    body = document(f"Patient/{world.patients[name]}", f"Binary/{made.json()['id']}")
    related = {"related": [{"reference": f"ServiceRequest/{world.referrals[name]}"}]}
    sent = await world.call(
        practice, "POST", "/referral/fhir/DocumentReference", body=body | {"context": related}
    )
    world.sent |= {f"{one['resourceType']}/{one['id']}": name for one in (made.json(), sent)}


async def _answer(world: World, insurer: str, action: str) -> None:
    (claim,) = await world.find(insurer, "/referral/fhir/Claim")
    code = {"coding": [{"system": codes.X12_306_SYSTEM, "code": action}]}
    inner = {"url": codes.REVIEW_ACTION_CODE_EXTENSION, "valueCodeableConcept": code}
    review = {"url": codes.REVIEW_ACTION_EXTENSION, "extension": [inner]}
    body = {
        "resourceType": "ClaimResponse",
        "status": "active",
        "type": claim["type"],
        "use": "preauthorization",
        "patient": claim["patient"],
        "created": "2026-03-02",
        "insurer": {"reference": f"Organization/{insurer}"},
        "request": {"reference": f"Claim/{claim['id']}"},
        "outcome": "complete",
        "preAuthPeriod": {"start": "2026-03-02", "end": "2026-06-30"},
        "item": [
            {
                "itemSequence": one["sequence"],
                "adjudication": [{"category": {"text": "submitted"}, "extension": [review]}],
            }
            for one in claim["item"]
        ],
    }
    await world.call(insurer, "POST", "/referral/fhir/ClaimResponse", body=body)
    await world.clinic.settle()


async def _see(world: World, name: str) -> None:
    search = f"based-on=ServiceRequest/{world.referrals[name]}&appointment-type=first&status=booked"
    (visit,) = await world.find("coordinator", f"/scheduling/fhir/Appointment?{search}")
    path = f"/scheduling/fhir/Appointment/{visit['id']}"
    end = datetime.fromisoformat(visit["end"]).astimezone(UTC)
    await world.clinic.at(max(end, world.clinic.clock.now()))
    await world.change("coordinator", path, status="arrived")
    await world.change("coordinator", path, status="fulfilled")
    await world.clinic.settle()


async def _care(world: World, patient: str, clinician: str) -> None:
    about = {"reference": f"Patient/{patient}"}
    plan = (await world.find(clinician, f"/careteam/fhir/CarePlan?patient={patient}"))[0]
    walk = {"detail": {"status": "scheduled", "description": "Walk twice a day"}}
    path = f"/careteam/fhir/CarePlan/{plan['id']}"
    await world.change(clinician, path, status="active", activity=[walk])
    nprs = {"coding": [{"system": LOINC, "code": "72514-3"}]}
    sections = [{"linkId": f"section-{one}", "answer": [{"valueInteger": 2}]} for one in range(1, 11)]
    case = {"coding": [{"system": TASK_CODE_SYSTEM, "code": "agenda-item"}]}
    done = {"status": "completed", "subject": about}
    for body in (
        {"resourceType": "Observation", **done, "status": "final", "code": nprs, "valueInteger": 6},
        {
            "resourceType": "QuestionnaireResponse",
            **done,
            "questionnaire": f"{LUMBAR}/Questionnaire/oswestry",
            "item": sections,
        },
        {"resourceType": "Communication", **done, "payload": [{"contentString": "How is it going?"}]},
        {
            "resourceType": "Task",
            "status": "requested",
            "intent": "plan",
            "code": case,
            "for": about,
            "reasonCode": {"text": "Slow"},
        },
    ):
        answer = await world.clinic.as_(clinician).post(f"/careteam/fhir/{body['resourceType']}", json=body)
        assert answer.status_code in (201, 409), answer.text
    await world.clinic.settle()


async def _meet(world: World) -> None:
    cases = await world.find("physiatrist", "/careteam/fhir/Task?code=agenda-item&status=requested")
    meeting_id = cases[0]["input"][0]["valueReference"]["reference"].rpartition("/")[2]
    path = f"/careteam/fhir/Appointment/{meeting_id}"
    meeting = await world.call("physiatrist", "GET", path)
    await world.clinic.at(datetime.fromisoformat(meeting["start"]).astimezone(UTC) + timedelta(minutes=5))
    here = [{"name": "attended", "valueReference": one["actor"]} for one in meeting["participant"]]
    await _operate(world, f"{path}/$open", here)
    for case in cases:
        decided: list[Resource] = [
            {"name": "case", "valueReference": {"reference": f"Task/{case['id']}"}},
            {"name": "decision", "valueString": "Go on"},
        ]
        if case["input"][0]["valueReference"]["reference"].endswith(meeting_id):
            await _operate(world, f"{path}/$decide", decided)
    await _operate(world, f"{path}/$close", [])
    await _operate(world, f"{path}/$sign-minutes", [])
    await world.clinic.settle()


async def _operate(world: World, path: str, values: list[Resource]) -> None:
    body = {"resourceType": "Parameters", "parameter": values}
    await world.call("physiatrist", "POST", path, body=body)
