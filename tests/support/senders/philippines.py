"""The Philippine eReferral: a transaction that puts people by their identifiers, with a Task and Provenance.

After `Bundle-ExampleERefSubmissionBundle.json` of github.com/UPM-NTHC/ph-ereferral.
"""

from typing import Any

Resource = dict[str, Any]

_PHILSYS = "http://philsys.gov.ph/fhir/Identifier/philsys-id"
_PRC = "https://prc.gov.ph/"
_PATIENT = "urn:uuid:d7e33c3b-e90b-464e-a5eb-a92f60c71542"
_DOCTOR = "urn:uuid:309021d0-7abe-4b54-b2e9-23a056851d0e"
_ROLE = "urn:uuid:06924c91-7363-40ab-932b-6f64d0a102b9"
_PLACE = "urn:uuid:a038f451-6557-4b01-b05c-aa4ff967545b"
_REQUEST = "urn:uuid:2da5e918-42d1-4d2c-b5dd-570b0b172759"
_TASK = "urn:uuid:05fe9d1b-3653-4a4e-8aa6-9dbb51acb4d4"


def transaction(*, number: str = "REF-2026-001234", clinic: str = "Kalibo Health Center") -> Resource:
    """Write the submission; `clinic` is the name of the sending health centre."""
    entries = [
        (_PATIENT, _patient(), "PUT", f"Patient?identifier={_PHILSYS}|7731-0812-4491-0326"),
        (_DOCTOR, _doctor(), "PUT", f"Practitioner?identifier={_PRC}|5466863"),
        (
            _PLACE,
            _place(clinic),
            "PUT",
            "Organization?identifier=https%3A%2F%2Ffhir.doh.gov.ph%2Fnhfr%7C3056",
        ),
        (_ROLE, _role(), "POST", "PractitionerRole"),
        (_REQUEST, _request(number), "POST", "ServiceRequest"),
        ("urn:uuid:1e517f0b-6324-47f1-a626-8ddb5b617c59", _report(), "POST", "DiagnosticReport"),
        (_TASK, _task(), "POST", "Task"),
        ("urn:uuid:6760bfb4-3596-4568-b8ff-b487736a70f5", _provenance(), "POST", "Provenance"),
    ]
    return {
        "resourceType": "Bundle",
        "id": "ExampleERefSubmissionBundle",
        "type": "transaction",
        "timestamp": "2026-03-01T08:30:00+08:00",
        "entry": [
            {"fullUrl": url, "resource": one, "request": {"method": method, "url": address}}
            for url, one, method, address in entries
        ],
    }


def _patient() -> Resource:
    return {
        "resourceType": "Patient",
        "id": "ExampleERefPatient",
        "identifier": [
            {"system": "http://philhealth.gov.ph/fhir/Identifier/philhealth-id", "value": "78-658064775-3"},
            {"system": _PHILSYS, "value": "7731-0812-4491-0326"},
        ],
        "active": True,
        "name": [{"use": "official", "family": "Reyes", "given": ["Ana", "Luisa"]}],
        "telecom": [{"system": "phone", "value": "+63-919-876-5432", "use": "mobile"}],
        "gender": "female",
        "birthDate": "1988-03-12",
        "contact": [{"name": {"family": "Reyes", "given": ["Roberto"]}}],
    }


def _doctor() -> Resource:
    return {
        "resourceType": "Practitioner",
        "id": "ExampleERefPractitionerSubmission",
        "identifier": [{"system": _PRC, "value": "5466863"}],
        "name": [{"use": "official", "family": "Villanueva", "given": ["Maria"], "prefix": ["Dr."]}],
    }


def _place(name: str) -> Resource:
    return {
        "resourceType": "Organization",
        "id": "ExampleERefOrganizationKaliboHC",
        "identifier": [{"system": "https://fhir.doh.gov.ph/nhfr", "value": "3056"}],
        "name": name,
    }


def _role() -> Resource:
    return {
        "resourceType": "PractitionerRole",
        "id": "ExampleERefPractitionerRoleSubmission",
        "practitioner": {"reference": _DOCTOR},
        "organization": {"reference": _PLACE},
    }


def _request(number: str) -> Resource:
    return {
        "resourceType": "ServiceRequest",
        "id": "ExampleERefServiceRequest",
        "identifier": [{"system": "urn:oid:1.2.840.113619.21.1.2", "value": number}],
        "requisition": {"system": "urn:oid:1.2.840.113619.21.1.2", "value": number},
        "status": "active",
        "intent": "order",
        "category": [{"coding": [{"system": "http://snomed.info/sct", "code": "73770003"}]}],
        "subject": {"reference": _PATIENT},
        "occurrenceDateTime": "2026-03-01T08:30:00+08:00",
        "authoredOn": "2026-03-01T08:30:00+08:00",
        "requester": {"reference": _ROLE},
        "reasonCode": [{"coding": [{"system": "http://snomed.info/sct", "code": "279039007"}]}],
        "note": [{"text": "Low back pain for four months."}],
    }


def _report() -> Resource:
    return {
        "resourceType": "DiagnosticReport",
        "id": "ExampleERefDiagnosticReport",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "24356-8"}]},
        "subject": {"reference": _PATIENT},
        "conclusion": "Nothing remarkable.",
        "presentedForm": [{"title": "Urinalysis"}],
    }


def _task() -> Resource:
    return {
        "resourceType": "Task",
        "id": "ExampleERefTaskRequested",
        "status": "requested",
        "intent": "order",
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "3457005"}]},
        "focus": {"reference": _REQUEST},
        "for": {"reference": _PATIENT},
        "authoredOn": "2026-03-01T08:30:00+08:00",
        "lastModified": "2026-03-01T08:30:00+08:00",
        "requester": {"reference": _ROLE},
        "note": [{"text": "New referral. Awaiting response."}],
    }


def _provenance() -> Resource:
    return {
        "resourceType": "Provenance",
        "id": "ExampleERefProvenanceSubmission",
        "target": [{"reference": _REQUEST}, {"reference": _TASK}],
        "recorded": "2026-03-01T08:30:00+08:00",
        "agent": [{"who": {"reference": _ROLE}, "onBehalfOf": {"reference": _PLACE}}],
    }
