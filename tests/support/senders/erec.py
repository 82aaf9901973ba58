"""CA:eReC and Ontario's eReferral, as Ocean writes it: entries without fullUrl, references by type and id.

After the MessageBundle examples of the CA:eReC guide (simplifier.net/guide/pan-canadian-ereferral-econsult-
ca-erec-iguide, "Messaging Events") and of ca-on-eReferral (simplifier.net/eReferral-Ontario,
MessageHeader-example), whose event codes are Ontario's `message-event-code`.
"""

from typing import Any
from uuid import uuid4

Resource = dict[str, Any]

_OCEAN = "https://ocean.example/svc/fhir/v1"
_EVENTS = "https://ehealthontario.ca/fhir/CodeSystem/message-event-code"
_PROFILE = "http://ehealthontario.ca/fhir/StructureDefinition/ca-on-eReferral-profile-"
PATIENT_ID = "57ba641e-6795-4795-81da-d079c22c4ae3"


def message(
    event: str = "add-service-request",
    *,
    number: str,
    focus: str | None = None,
    more: tuple[Resource, ...] = (),
    message_id: str | None = None,
    **changes: Any,
) -> Resource:
    """Write a message of this event about the referral of this number; `changes` are of its request."""
    request = _request(number) | changes
    resources = [request, _patient(), *_people(), _form(), *more]
    header = _header(event, number, focus or f"ServiceRequest/{number}") | {"id": message_id or str(uuid4())}
    return {
        "resourceType": "Bundle",
        "id": str(uuid4()),
        "meta": {"lastUpdated": "2026-03-01T12:29:38.791-05:00"},
        "type": "message",
        "timestamp": "2026-03-01T12:29:38.791-05:00",
        "entry": [{"resource": one} for one in [header, *resources]],
    }


def communication(*, number: str, text: str) -> Resource:
    """Write what the referrer says about the referral."""
    said = {
        "resourceType": "Communication",
        "id": str(uuid4()),
        "status": "completed",
        "identifier": [{"system": f"{_OCEAN}/NamingSystem/id-referral-target-reference", "value": number}],
        "basedOn": [{"reference": f"ServiceRequest/{number}"}],
        "subject": {"reference": f"Patient/{PATIENT_ID}"},
        "payload": [{"contentString": text}],
        "sender": {"reference": "PractitionerRole/4b6f5b9f-19fb-42ea-a613-c8ec27eaa3ae"},
    }
    focus = f"Communication/{said['id']}"
    return message("send-communication-from-requester", number=number, focus=focus, more=(said,))


def echoed() -> tuple[Resource, ...]:
    """Write what Ocean sends back to a receiver of its own updates: its Task and its Appointment."""
    task = {
        "resourceType": "Task",
        "id": str(uuid4()),
        "status": "accepted",
        "intent": "order",
        "code": {"coding": [{"code": "process-request"}]},
    }
    appointment = {
        "resourceType": "Appointment",
        "id": str(uuid4()),
        "status": "proposed",
        "description": "Bring your imaging",
        "participant": [{"actor": {"reference": f"Patient/{PATIENT_ID}"}, "status": "accepted"}],
    }
    return task, appointment


def _header(event: str, number: str, focus: str) -> Resource:
    return {
        "resourceType": "MessageHeader",
        "meta": {"profile": [f"{_PROFILE}MessageHeader|1.0.0"]},
        "extension": [
            {
                "url": "http://ehealthontario.ca/fhir/StructureDefinition/ext-id-message-header",
                "valueString": number,
            }
        ],
        "eventCoding": {"system": _EVENTS, "code": event, "display": event},
        "destination": [
            {
                "name": "Harbour Spine",
                "endpoint": "https://harbour-spine.example/fhir",
                "receiver": {"reference": "PractitionerRole/harbour-spine-73632721"},
            }
        ],
        "sender": {"reference": "Organization/cognisant-md"},
        "author": {"reference": "PractitionerRole/4b6f5b9f-19fb-42ea-a613-c8ec27eaa3ae"},
        "source": {"name": "Ocean", "endpoint": f"{_OCEAN}/$process-messages"},
        "focus": [{"reference": focus}],
    }


def _request(number: str) -> Resource:
    return {
        "resourceType": "ServiceRequest",
        "id": number,
        "meta": {"profile": [f"{_PROFILE}ServiceRequest|1.0.0"]},
        "identifier": [{"system": f"{_OCEAN}/NamingSystem/id-ereferral-reference", "value": number}],
        "status": "active",
        "intent": "proposal",
        "category": [
            {
                "coding": [
                    {"system": "http://snomed.info/sct", "code": "722138006", "display": "PHYSIOTHERAPY"}
                ]
            },
            {"coding": [{"system": "http://loinc.org", "code": "85901-7"}]},
        ],
        "priority": "routine",
        "orderDetail": [{"coding": [{"display": "Low back pain rapid access"}]}],
        "subject": {"reference": f"Patient/{PATIENT_ID}"},
        "authoredOn": "2026-03-01T12:29:38-05:00",
        "requester": {"reference": "PractitionerRole/4b6f5b9f-19fb-42ea-a613-c8ec27eaa3ae"},
        "performer": [{"reference": "PractitionerRole/harbour-spine-73632721"}],
        "supportingInfo": [{"reference": "QuestionnaireResponse/5b71e0c6-cc92-428b-945b-7dd78fec8dbb"}],
        "note": [{"time": "2026-03-01T12:29:38-05:00", "text": "<b>Reason for Referral:</b> back&nbsp;pain"}],
    }


def _patient() -> Resource:
    licence = {"coding": [{"system": "http://hl7.org/fhir/v2/0203/", "code": "JHN"}]}
    return {
        "resourceType": "Patient",
        "id": PATIENT_ID,
        "meta": {"profile": [f"{_PROFILE}Patient|1.0.0"]},
        "identifier": [
            {
                "use": "official",
                "type": licence,
                "system": "https://fhir.infoway-inforoute.ca/NamingSystem/ca-on-patient-hcn",
                "value": "1547896351",
            },
            {"system": f"{_OCEAN}/NamingSystem/id-external-patient-reference"},
        ],
        "active": True,
        "name": [{"use": "official", "text": "Darling Mary", "family": "Mary", "given": ["Darling"]}],
        "telecom": [{"system": "phone", "value": "613-555-0122", "use": "home"}],
        "gender": "female",
        "birthDate": "1965-07-15",
        "deceasedBoolean": False,
        "address": [{"use": "home", "type": "postal", "line": ["1345 MAIN ST"], "city": "NEWVILLE"}],
    }


def _people() -> tuple[Resource, ...]:
    role = {
        "resourceType": "PractitionerRole",
        "id": "4b6f5b9f-19fb-42ea-a613-c8ec27eaa3ae",
        "identifier": [{"system": "http://infoway-inforoute.ca/fhir/NamingSystem/ca-on-license-physician"}],
        "active": True,
        "practitioner": {"reference": "Practitioner/e409e91b-594d-4403-bf1d-95fc6828014c"},
        "code": [{"coding": [{"system": "http://snomed.info/sct", "display": "Other"}]}],
        "location": [{"reference": "Location/f514ecc9-9dae-4c2d-9072-140894d1c423"}],
    }
    doctor = {
        "resourceType": "Practitioner",
        "id": "e409e91b-594d-4403-bf1d-95fc6828014c",
        "identifier": [{"system": f"{_OCEAN}/NamingSystem/id-practitioner-username", "value": "cody"}],
        "active": True,
        "name": [{"family": "Calhoon", "given": ["Cody"]}],
    }
    place = {
        "resourceType": "Location",
        "id": "f514ecc9-9dae-4c2d-9072-140894d1c423",
        "status": "active",
        "mode": "instance",
    }
    return role, doctor, place


def _form() -> Resource:
    return {
        "resourceType": "QuestionnaireResponse",
        "id": "5b71e0c6-cc92-428b-945b-7dd78fec8dbb",
        "identifier": {"system": f"{_OCEAN}/NamingSystem/id-form-reference", "value": "quickReferral"},
        "status": "completed",
        "subject": {"reference": f"Patient/{PATIENT_ID}"},
        "author": {"reference": "Practitioner/e409e91b-594d-4403-bf1d-95fc6828014c"},
        "item": [
            {"linkId": "__section"},
            {"linkId": "rfr", "answer": [{"valueString": "Back pain for four months"}]},
        ],
    }
