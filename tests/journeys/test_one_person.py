"""Two records turn out to be one person's: every service hears it."""

from typing import Any

from tests.integration.referral.doors import located, send
from tests.support import referrals
from tests.support.clinic import TestClinic


class TestTwoRecordsOfOnePerson:
    """Who turns out to be one person is not in two places: a coordinator is asked, and nothing is moved."""

    async def test_of_whom_both_have_a_visit_then_are_named_until_one_is_given_up(self) -> None:
        async with TestClinic() as clinic:
            patients = []
            for family, programme in (("Abernathy", "rapid-access"), ("Abernaty", "chronic-pain")):
                sent = referrals.bundle(health_card="55", family=family, programme=programme)
                patients.append(located(await send(clinic, sent), "Patient"))
            await clinic.settle()
            await _move(clinic, *await _booked(clinic))
            before = await _booked(clinic)
            assert len({visit["start"] for visit in before}) == 1, "both are booked at the same time"
            assert await _replan_tasks(clinic) == []
            await _link(clinic, patients[1], "merge", into={"reference": f"Patient/{patients[0]}"})
            [task] = await _replan_tasks(clinic)
            assert "another visit at the same time" in task["statusReason"]["text"]
            named = {given["valueReference"]["reference"] for given in task["input"][1:]}
            assert named == {f"Appointment/{visit['id']}" for visit in before}
            assert await _booked(clinic) == before, "nothing is moved unasked"
            await _link(clinic, patients[1], "unmerge")
            assert await _replan_tasks(clinic) == []
            assert await _booked(clinic) == before


async def _booked(clinic: TestClinic) -> list[dict[str, Any]]:
    found = await clinic.as_("coordinator").get("/scheduling/fhir/Appointment?status=booked")
    return [entry["resource"] for entry in found.json()["entry"]]


async def _move(clinic: TestClinic, visit: dict[str, Any], to: dict[str, Any]) -> None:
    answer = await clinic.as_("coordinator").put(
        f"/scheduling/fhir/Appointment/{visit['id']}",
        json=visit | {"start": to["start"], "end": to["end"]},
        headers={"If-Match": f'W/"{visit["meta"]["versionId"]}"'},
    )
    assert answer.status_code == 200, answer.text


async def _replan_tasks(clinic: TestClinic) -> list[dict[str, Any]]:
    found = await clinic.as_("coordinator").get("/scheduling/fhir/Task?status=requested")
    tasks = [entry["resource"] for entry in found.json().get("entry", [])]
    return [task for task in tasks if task["code"]["coding"][0]["code"] == "replan-visits"]


async def _link(clinic: TestClinic, patient: str, operation: str, **values: Any) -> None:
    given = [{"name": name, "valueReference": value} for name, value in values.items()]
    body = {
        "resourceType": "Parameters",
        "parameter": [*given, {"name": "reason", "valueString": "the name was misspelt"}],
    }
    answer = await clinic.as_("coordinator").post(f"/referral/fhir/Patient/{patient}/${operation}", json=body)
    assert answer.status_code == 200, answer.text
    await clinic.settle()


async def test_a_link_that_a_sender_writes_calls_off_nobody_elses_visit() -> None:
    async with TestClinic() as clinic:
        answer = await send(clinic, referrals.bundle(family="Victim", health_card="77"))
        victim = located(answer, "Patient")
        await clinic.settle()
        before = await _booked(clinic)
        link = [{"other": {"reference": f"Patient/{victim}"}, "type": "replaced-by"}]
        sent = referrals.bundle(family="Other", health_card="78", identifier="one")
        dead = {"link": link, "deceasedBoolean": True, "birthDate": "1980"}
        for change in (dead, {"birthDate": "1980-05-17"}):
            referrals.resource(sent, "Patient").update(change)
            assert (await send(clinic, sent, as_="second-practice")).status_code == 200
            await clinic.settle()
        assert await _booked(clinic) == before
