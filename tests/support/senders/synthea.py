"""Synthea and US Core: the whole record of a patient as a transaction, one ServiceRequest is the referral.

After the transaction Bundles that Synthea's FhirR4 exporter writes (github.com/synthetichealth/synthea,
src/main/java/org/mitre/synthea/export/FhirR4.java): conditional references to practitioners, organisations
and locations that come in Bundles of their own, Claims and ExplanationOfBenefits beside each Encounter.
"""

from typing import Any
from uuid import UUID, uuid5

Resource = dict[str, Any]

_NPI = "http://hl7.org/fhir/sid/us-npi"
_SYNTHEA = "https://github.com/synthetichealth/synthea"
_NAMES = UUID("7735ab79-6ac8-4b81-9936-f7ddabd18751")


def transaction(*, number: str = "1") -> Resource:
    """Write the record of one person with a referral in it."""
    resources = _resources(number)
    return {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "fullUrl": _urn(one["id"]),
                "resource": one,
                "request": {"method": "POST", "url": one["resourceType"]},
            }
            for one in resources
        ],
    }


def referred(record: Resource, *, number: str) -> Resource:
    """Add a ServiceRequest to a record that is stored, and change nothing else."""
    patient = next(one["fullUrl"] for one in record["entry"] if one["resource"]["resourceType"] == "Patient")
    request = _request(number, patient)
    added = {
        "fullUrl": _urn(request["id"]),
        "resource": request,
        "request": {"method": "POST", "url": "ServiceRequest"},
    }
    return record | {"entry": [*record["entry"], added]}


def _urn(name: str) -> str:
    return f"urn:uuid:{uuid5(_NAMES, name)}"


def _request(number: str, patient: str) -> Resource:
    return {
        "resourceType": "ServiceRequest",
        "id": f"request-{number}",
        "meta": {"profile": ["http://hl7.org/fhir/us/core/StructureDefinition/us-core-servicerequest"]},
        "identifier": [{"system": _SYNTHEA, "value": f"referral-{number}"}],
        "status": "active",
        "intent": "order",
        "category": [{"coding": [{"system": "http://snomed.info/sct", "code": "3457005"}]}],
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "306170007"}]},
        "subject": {"reference": patient},
        "requester": {"reference": f"Practitioner?identifier={_NPI}|9999999999"},
        "authoredOn": "2026-03-01T09:00:00Z",
    }


def _resources(number: str) -> list[Resource]:
    subject, encounter = {"reference": _urn("patient")}, {"reference": _urn("encounter")}
    doctor = {"reference": f"Practitioner?identifier={_NPI}|9999999999", "display": "Dr. Bahringer"}
    place = {"reference": f"Organization?identifier={_SYNTHEA}|ef58ea08-d883-3957-8300-150554edc8fb"}
    sct = "http://snomed.info/sct"
    money = {"value": 129.16, "currency": "USD"}
    return [
        {
            "resourceType": "Patient",
            "id": "patient",
            "identifier": [{"system": _SYNTHEA, "value": f"person-{number}"}],
            "name": [{"use": "official", "family": "Ward", "given": ["Gail"]}],
            "gender": "female",
            "birthDate": "1971-09-02",
        },
        {
            "resourceType": "Encounter",
            "id": "encounter",
            "status": "finished",
            "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
            "subject": subject,
            "participant": [{"individual": doctor}],
            "serviceProvider": place,
        },
        {
            "resourceType": "Condition",
            "id": "condition",
            "clinicalStatus": {
                "coding": [
                    {"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}
                ]
            },
            "code": {"coding": [{"system": sct, "code": "278860009", "display": "Chronic low back pain"}]},
            "subject": subject,
            "encounter": encounter,
        },
        {
            "resourceType": "CareTeam",
            "id": "team",
            "status": "active",
            "subject": subject,
            "participant": [{"member": subject}, {"member": doctor}, {"member": place}],
        },
        {
            "resourceType": "CarePlan",
            "id": "plan",
            "status": "active",
            "intent": "order",
            "subject": subject,
            "careTeam": [{"reference": _urn("team")}],
        },
        {
            "resourceType": "ServiceRequest",
            "id": "scan",
            "status": "completed",
            "intent": "order",
            "code": {"coding": [{"system": sct, "code": "241646009"}]},
            "subject": subject,
        },
        _request(number, _urn("patient")),
        {
            "resourceType": "Claim",
            "id": "claim",
            "status": "active",
            "type": {
                "coding": [
                    {"system": "http://terminology.hl7.org/CodeSystem/claim-type", "code": "professional"}
                ]
            },
            "use": "claim",
            "patient": subject,
            "created": "2026-02-20T09:00:00Z",
            "provider": place,
            "priority": {"coding": [{"code": "normal"}]},
            "insurance": [{"sequence": 1, "focal": True, "coverage": {"display": "Medicare"}}],
            "total": money,
        },
        {
            "resourceType": "ExplanationOfBenefit",
            "id": "benefit",
            "contained": [
                {
                    "resourceType": "Coverage",
                    "id": "coverage",
                    "status": "active",
                    "beneficiary": subject,
                    "payor": [{"display": "Medicare"}],
                }
            ],
            "status": "active",
            "type": {
                "coding": [
                    {"system": "http://terminology.hl7.org/CodeSystem/claim-type", "code": "professional"}
                ]
            },
            "use": "claim",
            "patient": subject,
            "created": "2026-02-20T09:00:00Z",
            "insurer": {"display": "Medicare"},
            "provider": doctor,
            "outcome": "complete",
            "insurance": [{"focal": True, "coverage": {"reference": "#coverage", "display": "Medicare"}}],
        },
    ]
