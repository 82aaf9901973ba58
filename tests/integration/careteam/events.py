"""Events of the other services as careteam hears them, with only the fields that matter."""

from typing import Any

from shared.fhir.codes import (
    APPOINTMENT_KIND_SYSTEM,
    PROGRAMME_SYSTEM,
    TASK_CODE_SYSTEM,
    AppointmentKind,
    TaskCode,
)

Resource = dict[str, Any]


def an_appointment(
    referral: str,
    *,
    patient: str = "patient-1",
    programme: str = "chronic-pain",
    practitioner: str = "pain-physician",
    kind: AppointmentKind = AppointmentKind.FIRST,
    status: str = "booked",
) -> Resource:
    return {
        "resourceType": "Appointment",
        "id": f"appointment-of-{referral}",
        "status": status,
        "serviceType": [{"coding": [{"system": PROGRAMME_SYSTEM, "code": programme}]}],
        "appointmentType": {"coding": [{"system": APPOINTMENT_KIND_SYSTEM, "code": kind}]},
        "basedOn": [{"reference": f"ServiceRequest/{referral}"}],
        "start": "2026-09-08T13:00:00Z",
        "end": "2026-09-08T14:00:00Z",
        "participant": [
            {"actor": {"reference": f"Patient/{patient}"}, "status": "accepted"},
            {"actor": {"reference": f"Practitioner/{practitioner}"}, "status": "accepted"},
            {"actor": {"reference": "Location/assessment-1"}, "status": "accepted"},
        ],
    }


def a_referral(referral: str, *, patient: str = "patient-1", status: str = "revoked") -> Resource:
    return {
        "resourceType": "ServiceRequest",
        "id": referral,
        "status": status,
        "intent": "order",
        "subject": {"reference": f"Patient/{patient}"},
    }


def a_process_request(referral: str, *, patient: str = "patient-1") -> Resource:
    return {
        "resourceType": "Task",
        "id": f"task-of-{referral}",
        "status": "cancelled",
        "intent": "order",
        "code": {"coding": [{"system": TASK_CODE_SYSTEM, "code": TaskCode.PROCESS_REQUEST}]},
        "focus": {"reference": f"ServiceRequest/{referral}"},
        "for": {"reference": f"Patient/{patient}"},
    }
