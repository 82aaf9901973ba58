"""Reads and searches of appointments, series and guarantees, inside the caller's row scope."""

from fastapi import APIRouter

from services.scheduling.models.tables import AppointmentTable, GuaranteeTable, SeriesTable
from services.scheduling.queries import scope
from shared.fhir.search import SearchParam
from shared.http.resources import add_reads

router = APIRouter()

_PATIENT, _REFERRAL = ("Patient",), ("ServiceRequest",)

add_reads(
    router,
    resource_type="Appointment",
    model=AppointmentTable,
    visible=scope.appointments,
    rows=scope.APPOINTMENT_ROWS,
    params={
        "based-on": SearchParam(kind="reference", column=AppointmentTable.referral_id, types=_REFERRAL),
        "patient": SearchParam(kind="reference", column=AppointmentTable.patient_id, types=_PATIENT),
        "practitioner": SearchParam(
            kind="reference", column=AppointmentTable.practitioner, types=("Practitioner",)
        ),
        "location": SearchParam(kind="reference", column=AppointmentTable.room, types=("Location",)),
        "status": SearchParam(kind="token", column=AppointmentTable.status),
        "date": SearchParam(kind="date", column=AppointmentTable.starts_at),
        "appointment-type": SearchParam(kind="token", column=AppointmentTable.kind),
        "service-type": SearchParam(kind="token", column=AppointmentTable.programme),
    },
)

add_reads(
    router,
    resource_type="List",
    model=SeriesTable,
    visible=scope.series,
    rows=scope.SERIES_ROWS,
    params={
        "identifier": SearchParam(kind="tokens", column=SeriesTable.identifiers),
        "patient": SearchParam(kind="reference", column=SeriesTable.patient_id, types=_PATIENT),
        "subject": SearchParam(kind="reference", column=SeriesTable.patient_id, types=_PATIENT),
    },
)

add_reads(
    router,
    resource_type="Task",
    model=GuaranteeTable,
    visible=scope.guarantees,
    rows=scope.GUARANTEE_ROWS,
    params={
        "focus": SearchParam(kind="reference", column=GuaranteeTable.referral_id, types=_REFERRAL),
        "based-on": SearchParam(kind="reference", column=GuaranteeTable.referral_id, types=_REFERRAL),
        "patient": SearchParam(kind="reference", column=GuaranteeTable.patient_id, types=_PATIENT),
        "subject": SearchParam(kind="reference", column=GuaranteeTable.patient_id, types=_PATIENT),
        "business-status": SearchParam(kind="token", column=GuaranteeTable.status),
    },
)
