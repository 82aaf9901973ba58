"""What the rest of the world sends: nothing of it breaks the door, and its people can be referred."""

import uuid
from collections import Counter
from typing import Any

from tests.support.clinic import TestClinic
from tests.support.samples import Resource, needs_samples, sample_files, sample_resources

pytestmark = needs_samples

FHIR = {"content-type": "application/fhir+json"}


async def test_any_sample_posted_to_the_door_is_taken_or_refused_and_never_breaks_it(
    clinic: TestClinic,
) -> None:
    answers: Counter[int] = Counter()
    sender = clinic.as_("family-practice")
    for path in sample_files():
        answer = await sender.post("/referral/fhir", content=path.read_bytes(), headers=FHIR)
        answers[answer.status_code // 100] += 1
        assert answer.status_code < 500, f"{path.name}: {answer.status_code} {answer.text[:300]}"
        if answer.status_code >= 400:
            assert answer.json()["resourceType"] == "OperationOutcome"
            assert answer.json()["issue"][0]["details"]["text"], f"{path.name}: {answer.text[:300]}"
    assert set(answers) <= {2, 4}
    assert sum(answers.values()) > 500


async def test_at_least_twenty_referrals_of_the_samples_people_are_accepted(clinic: TestClinic) -> None:
    accepted: list[str] = []
    refused: dict[str, str] = {}
    sender = clinic.as_("family-practice")
    for name, bundle in _referrals():
        answer = await sender.post("/referral/fhir", json=bundle, headers=FHIR)
        assert answer.status_code < 500, f"{name}: {answer.text[:300]}"
        if answer.status_code == 200:
            accepted.append(name)
        else:
            refused[name] = answer.text[:300]
    assert len(accepted) >= 20, refused
    await clinic.settle()
    assert len(await clinic.events("referral.received")) == len(accepted)


def _referrals() -> list[tuple[str, Resource]]:
    """Refer every patient once, and some again by another practitioner under another coverage."""
    practitioners = sample_resources("Practitioner")
    coverages = sample_resources("Coverage")
    patients = sample_resources("Patient")
    return [
        (
            f"{name} #{place}",
            _referral(
                patient,
                practitioners[place % len(practitioners)][1],
                coverages[place % len(coverages)][1],
            ),
        )
        for place, (name, patient) in enumerate([*patients, *patients[:12]])
    ]


def _referral(patient: Resource, practitioner: Resource, coverage: Resource) -> Resource:
    urns = {name: f"urn:uuid:{uuid.uuid4()}" for name in ("patient", "practitioner", "coverage", "request")}
    request: Resource = {
        "resourceType": "ServiceRequest",
        "identifier": [{"system": "https://practice.example/referrals", "value": str(uuid.uuid4())}],
        "status": "active",
        "intent": "order",
        "code": {"text": "Back pain rehabilitation"},
        "subject": {"reference": urns["patient"]},
        "requester": {"reference": urns["practitioner"]},
        "insurance": [{"reference": urns["coverage"]}],
        "reasonCode": [{"text": "Low back pain"}],
    }
    covered = _with_local_payor(coverage) | {"beneficiary": {"reference": urns["patient"]}}
    covered = {name: value for name, value in covered.items() if name not in ("subscriber", "policyHolder")}
    resources: dict[str, Resource] = {
        "patient": _alone(patient),
        "practitioner": practitioner,
        "coverage": covered,
        "request": request,
    }
    return {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "fullUrl": urns[name],
                "resource": {key: value for key, value in resource.items() if key != "id"},
                "request": {"method": "POST", "url": resource["resourceType"]},
            }
            for name, resource in resources.items()
        ],
    }


def _alone(patient: Resource) -> Resource:
    """Leave out what points at resources that are not sent along."""
    left_out = ("managingOrganization", "generalPractitioner", "link")
    return {name: value for name, value in patient.items() if name not in left_out}


def _with_local_payor(coverage: Resource) -> dict[str, Any]:
    payors = [payor for payor in coverage.get("payor", []) if str(payor.get("reference", "")).startswith("#")]
    return coverage | {"payor": payors or [{"display": "A payer of elsewhere"}]}
