"""NHS England's Booking and Referral Standard: `servicerequest-request`, whose reason says what is asked.

After `specification/examples/process_message/` of github.com/NHSDigital/booking-and-referral-fhir-api and the
cancellation payload of github.com/DHCW-Digital-Health-and-Care-Wales/NWRI-eReferrals-Service-App: a category
instead of a code, a message id by fullUrl only, a CarePlan that it is based on.
"""

from typing import Any
from uuid import uuid4

Resource = dict[str, Any]

_EVENTS = "https://fhir.nhs.uk/CodeSystem/message-events-bars"
_REASONS = "https://fhir.nhs.uk/CodeSystem/message-reason-bars"
_REQUEST = "urn:uuid:236bb75d-90ef-461f-b71e-fde7f899802c"
_PATIENT = "urn:uuid:9589fb37-87a2-48d8-968f-b371429208a8"
_ENCOUNTER = "urn:uuid:8c63d621-4d86-4f57-8699-e8e22d49935d"
_PLAN = "urn:uuid:38e9c018-adbb-4579-9cd8-45f4f890b93b"
_SENDER = "urn:uuid:07939a0c-2854-46ff-9282-ad906bc93679"
_DOCTOR = "urn:uuid:7d948662-bade-450e-b6c5-9bb6ee39cb56"


def message(*, reason: str = "new", status: str = "active", number: str | None = None) -> Resource:
    """Write a request of this reason; with a number it bears an identifier."""
    request = _request(status)
    if number is not None:
        request["identifier"] = [{"system": "https://optom.example/referrals", "value": number}]
    entries = {
        f"urn:uuid:{uuid4()}": _header(reason),
        _REQUEST: request,
        _PATIENT: _patient(),
        _SENDER: {"resourceType": "Organization", "name": "Sender Organization"},
    }
    if status == "active":
        entries |= _clinical()
    return {
        "resourceType": "Bundle",
        "id": str(uuid4()),
        "meta": {
            "versionId": "1.1.0",
            "profile": ["https://fhir.nhs.uk/StructureDefinition/BARSBundleMessage"],
        },
        "type": "message",
        "timestamp": "2026-03-01T11:30:00+00:00",
        "entry": [{"fullUrl": url, "resource": one} for url, one in entries.items()],
    }


def _header(reason: str) -> Resource:
    return {
        "resourceType": "MessageHeader",
        "eventCoding": {"system": _EVENTS, "code": "servicerequest-request"},
        "destination": [{"endpoint": "https://harbour-spine.example/bars"}],
        "sender": {"reference": _SENDER},
        "source": {"name": "Optometry", "software": "Optom RMSL", "endpoint": "https://optom.example/bars"},
        "reason": {"coding": [{"system": _REASONS, "code": reason}]},
        "focus": [{"reference": _REQUEST}],
        "definition": "https://fhir.nhs.uk/MessageDefinition/bars-message-servicerequest-request-referral",
    }


def _request(status: str) -> Resource:
    categories = "https://fhir.nhs.uk/CodeSystem/message-category-servicerequest"
    request: Resource = {
        "resourceType": "ServiceRequest",
        "meta": {"profile": ["https://fhir.nhs.uk/StructureDefinition/BARSServiceRequest-request-referral"]},
        "status": status,
        "intent": "plan",
        "category": [{"coding": [{"system": categories, "code": "referral", "display": "Transfer of Care"}]}],
        "subject": {"reference": _PATIENT},
        "occurrencePeriod": {"start": "2026-03-02T11:30:00+00:00"},
        "authoredOn": "2026-03-01T11:30:00+00:00",
    }
    if status == "active":
        request |= {
            "basedOn": [{"reference": _PLAN}],
            "encounter": {"reference": _ENCOUNTER},
            "requester": {"reference": _DOCTOR},
        }
    return request


def _patient() -> Resource:
    verified = "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-NHSNumberVerificationStatus"
    return {
        "resourceType": "Patient",
        "identifier": [
            {
                "extension": [{"url": verified, "valueCodeableConcept": {"coding": [{"code": "01"}]}}],
                "system": "https://fhir.nhs.uk/Id/nhs-number",
                "value": "3478526985",
            }
        ],
        "name": [{"use": "official", "text": "Mrs Julie Jones", "family": "Jones", "given": ["Julie"]}],
        "telecom": [{"system": "phone", "value": "07700900544", "use": "mobile", "rank": 1}],
        "gender": "female",
        "birthDate": "1959-05-04",
    }


def _clinical() -> dict[str, Resource]:
    subject = {"reference": _PATIENT}
    ambulatory = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"}
    return {
        _ENCOUNTER: {
            "resourceType": "Encounter",
            "status": "finished",
            "class": ambulatory,
            "subject": subject,
        },
        _PLAN: {
            "resourceType": "CarePlan",
            "status": "completed",
            "intent": "plan",
            "subject": subject,
            "encounter": {"reference": _ENCOUNTER},
            "activity": [{"outcomeCodeableConcept": [{"text": "Examined; the back needs a specialist."}]}],
        },
        "urn:uuid:3fe61915-32d2-4d41-953a-1d4ff56030e0": {
            "resourceType": "Flag",
            "status": "active",
            "code": {"text": "Needs a ramp"},
            "subject": subject,
        },
        _DOCTOR: {
            "resourceType": "Practitioner",
            "identifier": [{"system": "https://fhir.nhs.uk/Id/sds-role-profile-id", "value": "PT2489"}],
            "name": [{"family": "BLAKE", "given": ["Marcy"]}],
        },
    }
