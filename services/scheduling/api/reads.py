"""Reads and searches of appointments, series and Tasks, inside the caller's row scope."""

from functools import partial

from fastapi import APIRouter

from services.scheduling.models.tables import AppointmentTable, SeriesTable
from services.scheduling.queries import scope, tasks
from shared.fhir.codes import (
    APPOINTMENT_KIND_SYSTEM,
    BUSINESS_STATUS_SYSTEM,
    PROGRAMME_SYSTEM,
    TASK_CODE_SYSTEM,
)
from shared.fhir.search import SearchParam
from shared.fhir.status_systems import STATUS_SYSTEMS
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
        "status": SearchParam(
            kind="token", column=AppointmentTable.status, system=STATUS_SYSTEMS["Appointment"]
        ),
        "date": SearchParam(kind="date", column=AppointmentTable.starts_at),
        "appointment-type": SearchParam(
            kind="coding", column=AppointmentTable.kind, system=APPOINTMENT_KIND_SYSTEM
        ),
        "service-type": SearchParam(
            kind="coding", column=AppointmentTable.programme, system=PROGRAMME_SYSTEM
        ),
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
    model=tasks.TASKS,
    visible=partial(scope.tasks, table=tasks.TASKS),
    rows=scope.TASK_ROWS,
    params={
        "focus": SearchParam(kind="reference", column=tasks.TASKS.referral_id, types=_REFERRAL),
        "based-on": SearchParam(kind="reference", column=tasks.TASKS.referral_id, types=_REFERRAL),
        "patient": SearchParam(kind="reference", column=tasks.TASKS.patient_id, types=_PATIENT),
        "subject": SearchParam(kind="reference", column=tasks.TASKS.patient_id, types=_PATIENT),
        "business-status": SearchParam(
            kind="coding", column=tasks.TASKS.status, system=BUSINESS_STATUS_SYSTEM
        ),
        "code": SearchParam(kind="coding", column=tasks.CODE, system=TASK_CODE_SYSTEM),
        "status": SearchParam(kind="token", column=tasks.STATUS, system=STATUS_SYSTEMS["Task"]),
    },
)
