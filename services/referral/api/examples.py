"""A body for each operation of this service, shown in its OpenAPI document."""

from typing import Any

from shared.fhir.codes import CHANNEL_CONSENT_EXTENSION

_ID = "3f0c7a52-8a4e-7b6a-9d0b-5c1f2e3d4a5b"
_PATIENT = {"reference": "Patient/0b9d2f5e-6c1a-7e43-8f2b-1a3c5d7e9f01"}
_INSURER = {"reference": "Organization/workplace-insurer"}


def _said(*parameters: dict[str, Any]) -> dict[str, Any]:
    said = {"parameter": list(parameters)} if parameters else {}
    return {"resourceType": "Parameters", **said}


def _reason(text: str) -> dict[str, Any]:
    return _said({"name": "reason", "valueString": text})


_REFERRAL = {
    "resourceType": "ServiceRequest",
    "identifier": [{"system": "https://family-practice.example/referrals", "value": "R-2026-0117"}],
    "status": "active",
    "intent": "order",
    "code": {"text": "Assessment and treatment of low back pain"},
    "subject": {"reference": "#patient"},
    "requester": {"reference": "Organization/family-practice"},
    "contained": [
        {
            "resourceType": "Patient",
            "id": "patient",
            "identifier": [{"system": "https://health-card.example", "value": "1234567890"}],
            "name": [{"family": "Example", "given": ["Robin"]}],
            "birthDate": "1980-02-29",
        }
    ],
}
_REVOKED = _REFERRAL | {
    "id": _ID,
    "status": "revoked",
    "note": [{"text": "The patient has moved to another city."}],
}
_BUNDLE = {
    "resourceType": "Bundle",
    "type": "transaction",
    "entry": [{"resource": _REFERRAL, "request": {"method": "POST", "url": "ServiceRequest"}}],
}
_MESSAGE = {
    "resourceType": "Bundle",
    "type": "message",
    "entry": [
        {
            "fullUrl": f"urn:uuid:{_ID}",
            "resource": {
                "resourceType": "MessageHeader",
                "id": _ID,
                "eventCoding": {
                    "system": "https://ehealthontario.ca/fhir/CodeSystem/message-event-code",
                    "code": "add-service-request",
                },
                "source": {"endpoint": "https://family-practice.example"},
            },
        },
        {"fullUrl": "urn:uuid:8d2c1f60-1b7e-7c55-a7e1-2f4b6d8e0a13", "resource": _REFERRAL},
    ],
}
_REFERRALS_ID = "/fhir/ServiceRequest/{id}"
EXAMPLES: dict[str, Any] = {
    "POST /fhir": _BUNDLE,
    "POST /fhir/$process-message": _MESSAGE,
    "POST /fhir/ServiceRequest": _REFERRAL,
    "PUT /fhir/ServiceRequest/{id}": _REVOKED,
    "PATCH /fhir/ServiceRequest/{id}": [
        {"op": "replace", "path": "/status", "value": "revoked"},
        {"op": "add", "path": "/note", "value": _REVOKED["note"]},
    ],
    "POST /fhir/ServiceRequest/$validate": _said({"name": "resource", "resource": _REFERRAL}),
    f"POST {_REFERRALS_ID}/$acknowledge": _said(),
    f"POST {_REFERRALS_ID}/$provide-information": _said(
        {
            "name": "answers",
            "resource": {
                "resourceType": "Coverage",
                "status": "active",
                "beneficiary": _PATIENT,
                "payor": [_INSURER],
            },
        }
    ),
    f"POST {_REFERRALS_ID}/$request-another-time": _said(
        {"name": "reason", "valueString": "The patient is away for a funeral"},
        {"name": "from", "valueDate": "2026-03-09"},
        {"name": "to", "valueDate": "2026-03-13"},
    ),
    f"POST {_REFERRALS_ID}/$send-communication": _said(
        {"name": "text", "valueString": "Shall the patient stop the blood thinner before the visit?"}
    ),
    f"POST {_REFERRALS_ID}/$revoke": _reason("The patient moved to another province"),
    f"POST {_REFERRALS_ID}/$accept": _reason("The answers fit the programme"),
    f"POST {_REFERRALS_ID}/$decline": _reason("Another programme fits better"),
    f"POST {_REFERRALS_ID}/$request-information": _reason("When did the pain begin?"),
    f"POST {_REFERRALS_ID}/$set-priority": _said(
        {"name": "priority", "valueCode": "asap"},
        {"name": "reason", "valueString": "The pain got worse since Monday"},
    ),
    f"POST {_REFERRALS_ID}/$remind": _said(),
    f"POST {_REFERRALS_ID}/$merge": _said(
        {"name": "into", "valueReference": {"reference": f"ServiceRequest/{_ID}"}}
    ),
    f"POST {_REFERRALS_ID}/$close": _reason("Neither payer nor patient goes on"),
    "PUT /fhir/Patient/{id}": {
        "resourceType": "Patient",
        "id": _PATIENT["reference"].partition("/")[2],
        "identifier": [{"system": "https://health-card.example", "value": "1234567890"}],
        "name": [{"family": "Example", "given": ["Robin"]}],
        "birthDate": "1980-02-29",
        "telecom": [{"system": "phone", "value": "+1-416-555-0187", "use": "mobile", "rank": 1}],
        "extension": [
            {
                "url": CHANNEL_CONSENT_EXTENSION,
                "extension": [
                    {"url": "channel", "valueCode": "sms"},
                    {"url": "permitted", "valueBoolean": True},
                    {"url": "date", "valueDate": "2026-03-02"},
                ],
            }
        ],
    },
    "POST /fhir/Patient/{id}/$merge": _said(
        {"name": "into", "valueReference": {"reference": f"Patient/{_ID}"}},
        {"name": "reason", "valueString": "One person: the first practice misspelt the name"},
    ),
    "POST /fhir/Patient/{id}/$unmerge": _reason("They are cousins with one card"),
    "POST /fhir/Binary": {
        "resourceType": "Binary",
        "contentType": "text/plain",
        "data": "TVJJIG9mIHRoZSBsdW1iYXIgc3BpbmU6IG5vIGZyYWN0dXJlLgo=",
    },
    "POST /fhir/DocumentReference": {
        "resourceType": "DocumentReference",
        "status": "current",
        "subject": _PATIENT,
        "type": {"coding": [{"system": "http://loinc.org", "code": "24968-0"}]},
        "content": [{"attachment": {"contentType": "application/pdf", "url": f"Binary/{_ID}"}}],
        "context": {"related": [{"reference": f"ServiceRequest/{_ID}"}]},
    },
    "PUT /fhir/Task/{id}": {
        "resourceType": "Task",
        "status": "completed",
        "intent": "order",
        "focus": {"reference": f"ServiceRequest/{_ID}"},
        "for": _PATIENT,
    },
    "POST /fhir/ClaimResponse": {
        "resourceType": "ClaimResponse",
        "status": "active",
        "type": {
            "coding": [{"system": "http://terminology.hl7.org/CodeSystem/claim-type", "code": "professional"}]
        },
        "use": "preauthorization",
        "patient": _PATIENT,
        "created": "2026-03-02",
        "insurer": _INSURER,
        "request": {"reference": f"Claim/{_ID}"},
        "outcome": "complete",
        "preAuthRef": "WI-2026-4711",
        "preAuthPeriod": {"start": "2026-03-02", "end": "2026-06-30"},
    },
    "POST /fhir/Claim/$inquire": _said({"name": "member-id", "valueIdentifier": {"value": "M-000120"}}),
}
