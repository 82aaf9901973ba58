"""A clinician falls sick: whom it concerns is said first, a colleague takes over, the rest is asked about."""

from typing import Any

import httpx

from tests.support import referrals
from tests.support.clinic import TestClinic

SLOT = "/scheduling/fhir/Slot"
CANCELLATION = "http://terminology.hl7.org/CodeSystem/appointment-cancellation-reason"
TUESDAY = {"start": "2026-03-03T05:00:00Z", "end": "2026-03-04T05:00:00Z"}


def leave(of: str, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Slot",
        "schedule": {"reference": f"Schedule/{of}"},
        "status": "busy-unavailable",
        **TUESDAY,
        **more,
    }


async def send(clinic: TestClinic, number: int) -> None:
    """Send referrals to rapid access, whose first visits physiotherapists give."""
    for place in range(number):
        answer = await clinic.as_("family-practice").post(
            "/referral/fhir", json=referrals.bundle(family=f"Tanabe{'abcdef'[place]}")
        )
        assert answer.status_code == 200, answer.text
        await clinic.settle()


async def visits(clinic: TestClinic) -> list[dict[str, Any]]:
    found = await clinic.as_("coordinator").get("/scheduling/fhir/Appointment?_sort=date")
    return [entry["resource"] for entry in found.json()["entry"]]


def who(visit: dict[str, Any]) -> str:
    return str(visit["participant"][1]["actor"]["reference"])


async def call_off(clinic: TestClinic, *, of: str) -> None:
    """Call the first visit of a clinician off, whose time is free then."""
    visit = next(visit for visit in await visits(clinic) if who(visit) == of)
    reason = {"coding": [{"system": CANCELLATION, "code": "prov"}]}
    answer = await clinic.as_("coordinator").put(
        f"/scheduling/fhir/Appointment/{visit['id']}",
        json=visit | {"status": "cancelled", "cancelationReason": reason},
        headers={"If-Match": f'W/"{visit["meta"]["versionId"]}"'},
    )
    assert answer.status_code == 200, answer.text
    await clinic.settle()


def values(answer: httpx.Response, name: str) -> Any:
    return next(one for one in answer.json()["parameter"] if one["name"] == name)["valueInteger"]


async def test_a_clinician_falls_sick(clinic: TestClinic) -> None:
    await send(clinic, 4)
    await call_off(clinic, of="Practitioner/physiotherapist-2")
    before = [visit for visit in await visits(clinic) if visit["status"] == "booked"]
    sick = [visit for visit in before if who(visit) == "Practitioner/physiotherapist"]
    assert len(sick) > 1

    coordinator, colleague = clinic.as_("coordinator"), clinic.as_("physiotherapist-2")
    said = await coordinator.post(f"{SLOT}/$preview", json=leave("physiotherapist"))
    assert said.status_code == 200, said.text
    assert values(said, "reassigned") + values(said, "asked") == len(sick)
    assert [visit for visit in await visits(clinic) if visit["status"] == "booked"] == before

    made = await coordinator.post(SLOT, json=leave("physiotherapist", comment="A migraine."))
    assert made.status_code == 201, made.text
    await clinic.settle()
    after = {visit["id"]: visit for visit in await visits(clinic)}
    taken = [visit for visit in sick if who(after[visit["id"]]) == "Practitioner/physiotherapist-2"]
    assert len(taken) == values(said, "reassigned") > 0
    assert all(after[visit["id"]]["start"] == visit["start"] for visit in sick)

    tasks = await coordinator.get("/scheduling/fhir/Task?code=replan-visits&status=requested")
    (task,) = [entry["resource"] for entry in tasks.json()["entry"]]
    asked = {
        one["valueReference"]["reference"].partition("/")[2]
        for one in task["input"]
        if "valueReference" in one
    }
    assert asked == {visit["id"] for visit in sick} - {visit["id"] for visit in taken}
    told = await clinic.events("appointment.reassigned")
    assert len(told) == len(taken)

    # Why somebody is away is the coordinator's; that they are is their colleagues' too.
    path = f"{SLOT}/{made.json()['id']}"
    assert (await coordinator.get(path)).json()["comment"] == "A migraine."
    assert "comment" not in (await colleague.get(path)).json()
    assert (await clinic.as_("family-practice").get(path)).status_code == 403
    away = await colleague.get(f"{SLOT}?status=busy-unavailable&start=ge2026-03-03&start=lt2026-03-10")
    assert [entry["resource"]["id"] for entry in away.json()["entry"]] == [made.json()["id"]]
    assert "migraine" not in away.text

    # Every service has it, and nobody has the reason.
    for service, worker in clinic.workers.items():
        (absence,) = worker.runtime.clinic.person("physiotherapist").absences
        assert absence.start.isoformat() == "2026-03-03", service
    assert all(b"migraine" not in event.value for event in await clinic.events())

    # Back sooner than thought: with If-Match, and in the history.
    back = made.json() | {"status": "entered-in-error"}
    assert (await coordinator.put(path, json=back)).status_code in (412, 422, 428)
    done = await coordinator.put(path, json=back, headers={"If-Match": made.headers["etag"]})
    assert done.status_code == 200, done.text
    await clinic.settle()
    versions = (await coordinator.get(f"{path}/_history")).json()["entry"]
    assert [one["resource"]["status"] for one in versions] == ["entered-in-error", "busy-unavailable"]
    colleagues = await colleague.get(f"{path}/_history")
    assert colleagues.json()["total"] == 2
    assert "migraine" not in colleagues.text
    for worker in clinic.workers.values():
        assert worker.runtime.clinic.person("physiotherapist").absences == ()
    tasks = await coordinator.get("/scheduling/fhir/Task?code=replan-visits&status=requested")
    assert tasks.json()["total"] == 0


async def test_a_day_on_which_the_site_is_closed_is_no_working_day_of_any_service(
    clinic: TestClinic,
) -> None:
    made = await clinic.as_("coordinator").post(SLOT, json=leave("toronto", comment="Water damage."))
    assert made.status_code == 201, made.text
    await clinic.settle()
    for worker in clinic.workers.values():
        closed = worker.runtime.clinic.site("toronto").closed
        assert "2026-03-03" in [day.isoformat() for day in closed]
    programme = await clinic.as_("family-practice").get("/referral/fhir/HealthcareService/rapid-access")
    assert "2026-03-03" in [one["during"]["start"] for one in programme.json()["notAvailable"]]


async def test_nobody_but_the_coordinator_changes_the_roster(clinic: TestClinic) -> None:
    for party in ("physiotherapist", "family-practice", "workplace-insurer", "operator"):
        answer = await clinic.as_(party).post(SLOT, json=leave("physiotherapist"))
        assert answer.status_code == 403, party
