"""Example bodies for the OpenAPI document."""

from typing import Any

from shared.fhir.codes import DISCIPLINE_SYSTEM, HOURS_FOR_EXTENSION, ROOM_KIND_SYSTEM, VISIT_EXTENSION

_PROPOSED = {
    "resourceType": "Parameters",
    "parameter": [
        {
            "name": "appointment-resource",
            "resource": {
                "resourceType": "Appointment",
                "status": "proposed",
                "serviceType": [
                    {
                        "coding": [
                            {
                                "system": "https://lumbar.care/fhir/CodeSystem/visit-type",
                                "code": "review",
                            }
                        ]
                    }
                ],
                "start": "2026-03-10T14:00:00Z",
                "end": "2026-03-10T14:30:00Z",
                "basedOn": [{"reference": "ServiceRequest/0b9d2f5e-6c1a-7e43-8f2b-1a3c5d7e9f02"}],
                "participant": [
                    {
                        "actor": {"reference": "Practitioner/physiotherapist"},
                        "status": "needs-action",
                    }
                ],
            },
        }
    ],
}

_ABSENCE = {
    "resourceType": "Slot",
    "schedule": {"reference": "Schedule/physiotherapist"},
    "status": "busy-unavailable",
    "start": "2026-03-09T05:00:00Z",
    "end": "2026-03-11T04:00:00Z",
    "comment": "Ill.",
}

_PERSON = {
    "resourceType": "Practitioner",
    "active": True,
    "name": [{"family": "Berger", "given": ["Nora"]}],
    "telecom": [{"system": "email", "value": "nora.berger@harbour-spine.example"}],
    "qualification": [{"code": {"coding": [{"system": DISCIPLINE_SYSTEM, "code": "physiotherapy"}]}}],
}
_ROLE = {
    "resourceType": "PractitionerRole",
    "id": "physiotherapist",
    "active": True,
    "practitioner": {"reference": "Practitioner/physiotherapist"},
    "code": [{"coding": [{"system": DISCIPLINE_SYSTEM, "code": "physiotherapy"}]}],
    "availableTime": [
        {
            "extension": [{"url": HOURS_FOR_EXTENSION, "valueCode": "first"}],
            "daysOfWeek": ["mon", "wed"],
            "availableStartTime": "08:00:00",
            "availableEndTime": "12:00:00",
        }
    ],
}
_SCHEDULE = {
    "resourceType": "Schedule",
    "id": "physiotherapist",
    "active": True,
    "specialty": [{"coding": [{"system": DISCIPLINE_SYSTEM, "code": "physiotherapy"}]}],
    "actor": [{"reference": "Practitioner/physiotherapist"}],
    "planningHorizon": {"start": "2026-03-09", "end": "2026-06-30"},
}
_ROOM = {
    "resourceType": "Location",
    "status": "active",
    "name": "Treatment room 2",
    "type": [{"coding": [{"system": ROOM_KIND_SYSTEM, "code": "treatment"}]}],
    "partOf": {"reference": "Location/toronto"},
}
_PROGRAMME = {
    "resourceType": "HealthcareService",
    "id": "rapid-access",
    "extension": [
        {
            "url": VISIT_EXTENSION,
            "extension": [
                {"url": "element", "valueCode": "first"},
                {"url": "minutes", "valueInteger": 45},
                {"url": "discipline", "valueString": "physiotherapy"},
                {"url": "room", "valueString": "assessment"},
            ],
        }
    ],
}

_SESSION = {"reference": "Appointment/0b9d2f5e-6c1a-7e43-8f2b-1a3c5d7e9f05"}
_CALLED_OFF: list[dict[str, Any]] = [
    {"name": "scope", "valueCode": "following"},
    {"name": "session", "valueReference": _SESSION},
    {"name": "reason", "valueString": "The patient is back at full duty."},
]
_OF_SERIES: dict[str, list[dict[str, Any]]] = {
    "cancel-sessions": _CALLED_OFF,
    "move-sessions": [
        {"name": "scope", "valueCode": "one"},
        {"name": "session", "valueReference": _SESSION},
        {"name": "start", "valueInstant": "2026-03-09T14:00:00Z"},
    ],
    "hold": [
        {"name": "from", "valueDate": "2026-03-09"},
        {"name": "until", "valueDate": "2026-03-20"},
        {"name": "reason", "valueString": "The patient travels."},
    ],
    "extend": [
        {"name": "discipline", "valueCode": "physiotherapy"},
        {"name": "on", "valueDate": "2026-06-01"},
    ],
    "book-partly": [{"name": "consent", "valueBoolean": True}],
    "settle": [{"name": "reason", "valueString": "The rest is done at home."}],
    "preview": [{"name": "act", "valueCode": "cancel-sessions"}, *_CALLED_OFF],
}

EXAMPLES = {
    **{
        f"POST /fhir/List/{{id}}/${act}": {"resourceType": "Parameters", "parameter": said}
        for act, said in _OF_SERIES.items()
    },
    "PUT /fhir/HealthcareService/{id}": _PROGRAMME,
    "POST /fhir/HealthcareService/$preview": _PROGRAMME,
    "POST /fhir/Practitioner": _PERSON,
    "PUT /fhir/Practitioner/{id}": _PERSON,
    "POST /fhir/Practitioner/$preview": _PERSON,
    "PUT /fhir/PractitionerRole/{id}": _ROLE,
    "POST /fhir/PractitionerRole/$preview": _ROLE,
    "POST /fhir/Location": _ROOM,
    "PUT /fhir/Location/{id}": _ROOM,
    "POST /fhir/Location/$preview": _ROOM,
    "PUT /fhir/Schedule/{id}": _SCHEDULE,
    "POST /fhir/Schedule/$preview": _SCHEDULE,
    "POST /fhir/Slot": _ABSENCE,
    "PUT /fhir/Slot/{id}": _ABSENCE,
    "POST /fhir/Slot/$preview": _ABSENCE,
    "POST /fhir/Appointment/{id}/$correct-status": {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "status", "valueCode": "fulfilled"},
            {"name": "reason", "valueString": "The clinician says that the patient came."},
        ],
    },
    "POST /fhir/Appointment/{id}/$cancel-group": {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "reason", "valueString": "The teacher is ill."},
        ],
    },
    "POST /fhir/Task/{id}/$accept-offer": {"resourceType": "Parameters"},
    "POST /fhir/Task/{id}/$decline-offer": {"resourceType": "Parameters"},
    "POST /fhir/Appointment/{id}/$leave-unseen": {"resourceType": "Parameters"},
    "POST /fhir/Appointment/$find": {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "start", "valueDateTime": "2026-03-09T14:00:00Z"},
            {"name": "end", "valueDateTime": "2026-03-23T14:00:00Z"},
            {"name": "visit-type", "valueCode": "review"},
            {
                "name": "referral",
                "valueReference": {"reference": "ServiceRequest/0b9d2f5e-6c1a-7e43-8f2b-1a3c5d7e9f02"},
            },
        ],
    },
    "POST /fhir/Appointment/$hold": _PROPOSED,
    "POST /fhir/Appointment/$book": _PROPOSED,
    "PUT /fhir/Task/{id}": {
        "resourceType": "Task",
        "status": "completed",
        "intent": "order",
        "statusReason": {"text": "A colleague stands in at all of these times."},
    },
    "PUT /fhir/Appointment/{id}": {
        "resourceType": "Appointment",
        "status": "arrived",
        "start": "2026-03-09T14:00:00Z",
        "end": "2026-03-09T15:00:00Z",
        "participant": [
            {
                "actor": {"reference": "Patient/0b9d2f5e-6c1a-7e43-8f2b-1a3c5d7e9f01"},
                "status": "accepted",
            }
        ],
    },
}
