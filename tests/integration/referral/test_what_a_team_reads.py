"""What was sent with a referral, as the clinicians of the team read it, and nobody else of the clinic."""

from typing import Any
from uuid import uuid4

import pytest

from shared.fhir.codes import LUMBAR
from tests.support.clinic import TestClinic
from tests.support.referrals import bundle

TEAM = "physiotherapist"
OF_NO_TEAM = "psychologist"
_ALLERGY = "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical"
_LOW_BACK_PAIN = {"coding": [{"system": "http://snomed.info/sct", "code": "279039007"}]}


def enclosed(kind: str, patient: str) -> dict[str, Any]:
    """Make a resource of this kind about the patient."""
    about = {"resourceType": kind, "subject": {"reference": patient}}
    of_patient = {"resourceType": kind, "patient": {"reference": patient}}
    return {
        "DocumentReference": about
        | {"status": "current", "content": [{"attachment": {"contentType": "text/plain", "data": "TVJJ"}}]},
        "DiagnosticReport": about | {"status": "final", "code": {"text": "MRI of the lumbar spine"}},
        "Condition": about | {"code": _LOW_BACK_PAIN},
        "MedicationStatement": about
        | {"status": "active", "medicationCodeableConcept": {"text": "Naproxen 500 mg"}},
        "AllergyIntolerance": of_patient
        | {
            "code": {"text": "Penicillin"},
            "clinicalStatus": {"coding": [{"system": _ALLERGY, "code": "active"}]},
        },
        "Observation": about | {"status": "final", "code": {"text": "Pain"}, "valueInteger": 6},
        "Procedure": about | {"status": "completed", "code": {"text": "Microdiscectomy"}},
        "Immunization": of_patient
        | {"status": "completed", "vaccineCode": {"text": "Tetanus"}, "occurrenceDateTime": "2024-05-01"},
        "FamilyMemberHistory": of_patient | {"status": "completed", "relationship": {"text": "mother"}},
    }[kind]


KINDS = (
    "DocumentReference",
    "DiagnosticReport",
    "Condition",
    "MedicationStatement",
    "AllergyIntolerance",
    "Observation",
    "Procedure",
    "Immunization",
    "FamilyMemberHistory",
)


async def sent(clinic: TestClinic, *kinds: str) -> tuple[str, str, dict[str, str]]:
    """Send a referral with these; give its id, the patient's and each one's."""
    body = bundle()
    patient = body["entry"][0]["fullUrl"]
    body["entry"] += [
        {
            "fullUrl": f"urn:uuid:{uuid4()}",
            "resource": enclosed(kind, patient),
            "request": {"method": "POST", "url": kind},
        }
        for kind in kinds
    ]
    answer = await clinic.as_("family-practice").post("/referral/fhir", json=body)
    assert answer.status_code == 200, answer.text
    places = [entry["response"]["location"].split("/") for entry in answer.json()["entry"]]
    ids = {kind: key for kind, key, *_ in places}
    return ids["ServiceRequest"], ids["Patient"], ids


async def form_team(clinic: TestClinic, referral: str, patient: str, *members: str) -> None:
    """Let careteam say who is in the team."""
    team = {
        "resourceType": "CareTeam",
        "id": str(uuid4()),
        "status": "active",
        "subject": {"reference": f"Patient/{patient}"},
        "identifier": [{"system": f"{LUMBAR}/referral", "value": referral}],
        "participant": [{"member": {"reference": f"Practitioner/{member}"}} for member in members],
    }
    await clinic.publish("careteam.formed", focus=team)
    await clinic.settle()


@pytest.mark.parametrize("kind", KINDS)
async def test_each_kind_is_read_and_found_by_the_team_and_by_nobody_else(
    clinic: TestClinic, kind: str
) -> None:
    referral, patient, ids = await sent(clinic, kind)
    other, whose, _ = await sent(clinic, kind)
    await form_team(clinic, referral, patient, TEAM)
    await form_team(clinic, other, whose, OF_NO_TEAM)
    member, stranger = clinic.as_(TEAM), clinic.as_(OF_NO_TEAM)
    address = f"/referral/fhir/{kind}"
    assert (await member.get(f"{address}/{ids[kind]}")).status_code == 200
    assert (await stranger.get(f"{address}/{ids[kind]}")).status_code == 404
    found = (await member.get(f"{address}?patient=Patient/{patient}")).json()
    assert [entry["resource"]["id"] for entry in found["entry"]] == [ids[kind]]
    assert (await member.get(f"{address}?patient=Patient/{whose}")).json()["total"] == 0
    assert (await stranger.get(f"{address}?patient=Patient/{patient}")).json()["total"] == 0


async def test_who_has_left_the_team_reads_no_more(clinic: TestClinic) -> None:
    referral, patient, ids = await sent(clinic, "DiagnosticReport")
    await form_team(clinic, referral, patient, TEAM)
    await form_team(clinic, referral, patient, OF_NO_TEAM)
    path = f"/referral/fhir/DiagnosticReport/{ids['DiagnosticReport']}"
    assert (await clinic.as_(TEAM).get(path)).status_code == 404
    assert (await clinic.as_(OF_NO_TEAM).get(path)).status_code == 200
