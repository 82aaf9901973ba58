"""BSeR (HL7 Bidirectional Services eReferral): a message I12 about a Task, and the same as a transaction.

After `input/fsh/instances/bundle-bser-referral-message-bundle-eve-everywoman.fsh`, `messageheader-bser-
referralmessageheader.fsh`, `task-bser-referraltask.fsh` and `servicerequest-bser-referralservicerequest.fsh`
of github.com/HL7/bser: fullUrls of example.org, relative references, typed identifiers without a system.
"""

from typing import Any

Resource = dict[str, Any]

_BASE = "http://example.org/fhir"
_PLACER = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "PLAC"}]}
_FILLER = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "FILL"}]}
_STATUS = "http://hl7.org/fhir/us/bser/CodeSystem/TaskBusinessStatusCS"
_I12 = {"system": "http://terminology.hl7.org/CodeSystem/v2-0003", "code": "I12"}


def message(*, event: str = "I12", number: str = "88888888") -> Resource:
    """Write the message of a referral (I12), its change (I13), its cancellation (I14) or a question (I15)."""
    entries = [
        {"fullUrl": f"{_BASE}/{one['resourceType']}/{one['id']}", "resource": one}
        for one in [_header(event), *_resources(number), _document()]
    ]
    return {
        "resourceType": "Bundle",
        "type": "message",
        "timestamp": "2026-03-01T09:00:00Z",
        "entry": entries,
    }


def transaction(*, number: str = "88888888") -> Resource:
    """Write the same resources as a transaction."""
    entries = [
        {
            "fullUrl": f"{_BASE}/{one['resourceType']}/{one['id']}",
            "resource": one,
            "request": {"method": "POST", "url": one["resourceType"]},
        }
        for one in _resources(number)
    ]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def _header(event: str) -> Resource:
    return {
        "resourceType": "MessageHeader",
        "id": "messageheader-bser-referral-messageheader",
        "eventCoding": {**_I12, "code": event, "display": "REF/RRI - Patient referral"},
        "destination": [
            {
                "endpoint": "http://www.saintlukeshealthsystem.org/fhir/endpoint",
                "receiver": {"reference": "PractitionerRole/role-recipient"},
            }
        ],
        "sender": {"reference": "PractitionerRole/role-initiator"},
        "source": {
            "name": "Acme Central Patient Registry",
            "software": "FooBar Patient Manager",
            "version": "3.1.45.AABB",
            "contact": {"system": "phone", "value": "+1 (555) 123 4567"},
            "endpoint": "http://www.saintlukeshealthsystem.org/fhir",
        },
        "reason": {"coding": [{**_I12, "code": event, "display": "REF/RRI - Patient referral"}]},
        "focus": [{"reference": "Task/task-bser-referral-task"}],
    }


def _resources(number: str) -> list[Resource]:
    patient = {"reference": "Patient/patient-us-core-patient-eve-everywoman"}
    assigner = {"reference": "Organization/organization-saint-luke"}
    request: Resource = {
        "resourceType": "ServiceRequest",
        "id": "servicerequest-bser-referral-servicerequest-arthritis",
        "identifier": [{"type": _PLACER, "value": number, "assigner": assigner}],
        "status": "active",
        "intent": "order",
        "category": [{"coding": [{"system": "http://snomed.info/sct", "code": "313204009"}]}],
        "code": {
            "coding": [{"system": "http://snomed.info/sct", "code": "3457005"}],
            "text": "Patient referral",
        },
        "subject": {**patient, "display": "Eve Everywoman"},
        "occurrenceDateTime": "2026-03-20",
        "authoredOn": "2026-02-28",
        "requester": {"reference": "PractitionerRole/role-initiator", "display": "Henry Seven, MD"},
        "performer": [{"reference": "PractitionerRole/role-recipient", "display": "Hailey Eight, MD"}],
        "reasonCode": [{"text": "Low back pain with arthritis"}],
        "insurance": [{"reference": "Coverage/coverage-bser-coverage-eve-everywoman"}],
        "supportingInfo": [{"reference": "Consent/consent-bser-patientconsent-eve-everywoman"}],
    }
    task: Resource = {
        "resourceType": "Task",
        "id": "task-bser-referral-task",
        "identifier": [
            {"type": _PLACER, "value": "66666666", "assigner": assigner},
            {"type": _FILLER, "value": "77777777", "assigner": assigner},
        ],
        "status": "requested",
        "businessStatus": {
            "coding": [{"system": _STATUS, "code": "2.0", "display": "Service Request Created"}]
        },
        "intent": "order",
        "code": {"coding": [{"system": "http://hl7.org/fhir/CodeSystem/task-code", "code": "fulfill"}]},
        "focus": {"reference": f"ServiceRequest/{request['id']}"},
        "for": patient,
        "authoredOn": "2026-02-28T14:43:32-04:00",
        "requester": {"reference": "PractitionerRole/role-initiator"},
        "owner": {"reference": "PractitionerRole/role-recipient"},
    }
    return [request, _patient(), task, *_people(patient)]


def _patient() -> Resource:
    return {
        "resourceType": "Patient",
        "id": "patient-us-core-patient-eve-everywoman",
        "identifier": [
            {"use": "usual", "system": "http://hospital.smarthealthit.org", "value": "1032702"},
        ],
        "name": [{"family": "Everywoman", "given": ["Eve", "L."]}],
        "telecom": [{"system": "phone", "value": "5555555555", "use": "home"}],
        "gender": "female",
        "birthDate": "1973-05-31",
    }


def _people(patient: Resource) -> list[Resource]:
    roles = [
        {
            "resourceType": "PractitionerRole",
            "id": name,
            "practitioner": {"identifier": {"system": "http://hl7.org/fhir/sid/us-npi", "value": npi}},
            "organization": {"reference": "Organization/organization-saint-luke"},
            "telecom": [{"system": "phone", "value": "1-555-555-5555"}],
        }
        for name, npi in (("role-initiator", "1316206220"), ("role-recipient", "1316206221"))
    ]
    return [
        *roles,
        {
            "resourceType": "Organization",
            "id": "organization-saint-luke",
            "active": True,
            "name": "Saint Luke W",
        },
        {
            "resourceType": "Coverage",
            "id": "coverage-bser-coverage-eve-everywoman",
            "status": "active",
            "type": {
                "coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "EHCPOL"}]
            },
            "subscriberId": "888009335",
            "beneficiary": patient,
            "payor": [{"identifier": {"system": "urn:oid:2.16.840.1.113883.6.300", "value": "12345"}}],
        },
        {
            "resourceType": "Consent",
            "id": "consent-bser-patientconsent-eve-everywoman",
            "status": "active",
            "scope": {
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/consentscope",
                        "code": "patient-privacy",
                    }
                ]
            },
            "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
            "patient": patient,
            "dateTime": "2026-02-28",
            "policyRule": {"text": "As the state's law has it"},
        },
    ]


def _document() -> Resource:
    """Write the document with supporting information that comes inside of the message."""
    composition = {
        "resourceType": "Composition",
        "id": "composition-bser-referral-request",
        "status": "final",
        "type": {"coding": [{"system": "http://loinc.org", "code": "57133-1"}]},
        "subject": {"reference": "Patient/patient-us-core-patient-eve-everywoman"},
        "date": "2026-02-28",
        "author": [{"reference": "PractitionerRole/role-initiator"}],
        "title": "Supporting information",
    }
    return {
        "resourceType": "Bundle",
        "id": "bundle-bser-referral-request-document",
        "identifier": {
            "system": "urn:ietf:rfc:3986",
            "value": "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0",
        },
        "type": "document",
        "timestamp": "2026-02-28T14:43:32-04:00",
        "entry": [{"fullUrl": f"{_BASE}/Composition/{composition['id']}", "resource": composition}],
    }
