"""A body for each operation of this service, shown in its OpenAPI document."""

from typing import Any

_ID = "3f0c7a52-8a4e-7b6a-9d0b-5c1f2e3d4a5b"
_PATIENT = {"reference": "Patient/0b9d2f5e-6c1a-7e43-8f2b-1a3c5d7e9f01"}
_CASE = {"name": "case", "valueReference": {"reference": f"Task/{_ID}"}}
_PAIN = {"coding": [{"system": "http://loinc.org", "code": "72514-3"}]}


def _said(*parameters: dict[str, Any]) -> dict[str, Any]:
    said = {"parameter": list(parameters)} if parameters else {}
    return {"resourceType": "Parameters", **said}


EXAMPLES: dict[str, Any] = {
    "POST /fhir/Appointment/{id}/$open": _said(
        {"name": "attended", "valueReference": {"reference": "Practitioner/physiatrist"}}
    ),
    "POST /fhir/Appointment/{id}/$record-attendance": _said(
        {"name": "left", "valueReference": {"reference": "Practitioner/physiatrist"}}
    ),
    "POST /fhir/Appointment/{id}/$decide": _said(
        _CASE,
        {"name": "decision", "valueString": "Two more weeks of graded activity"},
        {
            "name": "action",
            "part": [
                {"name": "owner", "valueReference": {"reference": "Practitioner/physiotherapist"}},
                {"name": "description", "valueString": "Revise the home programme"},
                {"name": "due", "valueDate": "2026-03-16"},
            ],
        },
        {"name": "revise-plan", "valueBoolean": True},
    ),
    "POST /fhir/Appointment/{id}/$close": _said(),
    "POST /fhir/Appointment/{id}/$sign-minutes": _said(),
    "PUT /fhir/CarePlan/{id}": {
        "resourceType": "CarePlan",
        "id": _ID,
        "status": "active",
        "intent": "plan",
        "subject": _PATIENT,
        "goal": [{"reference": f"Goal/{_ID}"}],
    },
    "PUT /fhir/Goal/{id}": {
        "resourceType": "Goal",
        "id": _ID,
        "lifecycleStatus": "active",
        "description": {"text": "Walk for thirty minutes"},
        "subject": _PATIENT,
    },
    "PUT /fhir/CareTeam/{id}": {
        "resourceType": "CareTeam",
        "id": _ID,
        "status": "active",
        "subject": _PATIENT,
        "participant": [{"member": {"reference": "Practitioner/psychologist"}}],
    },
    "POST /fhir/Task": {
        "resourceType": "Task",
        "status": "requested",
        "intent": "order",
        "for": _PATIENT,
        "description": "No better after four weeks: what next?",
    },
    "PUT /fhir/Task/{id}": {
        "resourceType": "Task",
        "id": _ID,
        "status": "completed",
        "intent": "order",
        "for": _PATIENT,
    },
    "POST /fhir/Communication": {
        "resourceType": "Communication",
        "status": "completed",
        "subject": _PATIENT,
        "recipient": [{"reference": "Practitioner/physiotherapist"}],
        "payload": [{"contentString": "Slept well, walks further"}],
    },
    "POST /fhir/Observation": {
        "resourceType": "Observation",
        "status": "final",
        "code": _PAIN,
        "subject": _PATIENT,
        "effectiveDateTime": "2026-03-02T13:00:00Z",
        "valueInteger": 4,
    },
    "POST /fhir/QuestionnaireResponse": {
        "resourceType": "QuestionnaireResponse",
        "status": "completed",
        "questionnaire": "https://lumbar.care/fhir/Questionnaire/oswestry",
        "subject": _PATIENT,
        "authored": "2026-03-02T13:00:00Z",
        "item": [{"linkId": "pain-intensity", "answer": [{"valueInteger": 2}]}],
    },
}
