"""Reads and searches of everything this service keeps, inside the caller's row scope."""

from functools import partial

from fastapi import APIRouter

from services.referral import fhir, queries
from services.referral.models.tables import (
    ClaimResponseTable,
    ClaimTable,
    EnclosureTable,
    ReferralTable,
    TaskTable,
)
from shared.fhir.search import Include, SearchParam
from shared.http.resources import add_reads

router = APIRouter()

_SCOPE, _PATIENTS = queries.scope, queries.scope.PATIENTS
_add_reads = partial(add_reads, router, rows=_SCOPE.ROWS)
_OWN_KINDS = ("Patient", "ServiceRequest")

_PATIENT = Include(
    resource_type="Patient",
    model=_PATIENTS,
    column=ReferralTable.patient_id,
    visible=_SCOPE.patients_as_seen,
)

_add_reads(
    resource_type="ServiceRequest",
    model=ReferralTable,
    visible=_SCOPE.referrals,
    params={
        "identifier": SearchParam(kind="tokens", column=ReferralTable.identifiers),
        "patient": SearchParam(kind="reference", column=ReferralTable.patient_id, types=("Patient",)),
        "subject": SearchParam(kind="reference", column=ReferralTable.patient_id, types=("Patient",)),
        "requester": SearchParam(kind="reference", column=ReferralTable.requester, types=("Organization",)),
        "status": SearchParam(kind="token", column=ReferralTable.status),
        "intent": SearchParam(kind="token", column=ReferralTable.intent),
        "priority": SearchParam(kind="token", column=ReferralTable.priority),
        "authored": SearchParam(kind="date", column=ReferralTable.authored_on),
    },
    includes={"ServiceRequest:patient": _PATIENT, "ServiceRequest:subject": _PATIENT},
)

_add_reads(
    resource_type="Patient",
    model=_PATIENTS,
    visible=_SCOPE.patients_as_seen,
    params={
        "identifier": SearchParam(kind="tokens", column=_PATIENTS.identifiers),
        "family": SearchParam(kind="string", column=_PATIENTS.family),
        "given": SearchParam(kind="string", column=_PATIENTS.given),
    },
)

_add_reads(
    resource_type="Task",
    model=TaskTable,
    visible=_SCOPE.tasks,
    params={
        "focus": SearchParam(kind="reference", column=TaskTable.referral_id, types=("ServiceRequest",)),
        "based-on": SearchParam(kind="reference", column=TaskTable.referral_id, types=("ServiceRequest",)),
        "patient": SearchParam(kind="reference", column=TaskTable.patient_id, types=("Patient",)),
        "owner": SearchParam(kind="reference", column=TaskTable.owner, types=("Organization",)),
        "status": SearchParam(kind="token", column=TaskTable.status),
        "code": SearchParam(kind="token", column=TaskTable.code),
        "identifier": SearchParam(kind="tokens", column=TaskTable.identifiers),
        "authored-on": SearchParam(kind="date", column=TaskTable.authored_on),
    },
    includes={
        "Task:focus": Include(
            resource_type="ServiceRequest",
            model=ReferralTable,
            column=TaskTable.referral_id,
            visible=_SCOPE.referrals,
        ),
        "Task:patient": Include(
            resource_type="Patient",
            model=_PATIENTS,
            column=TaskTable.patient_id,
            visible=_SCOPE.patients_as_seen,
        ),
    },
)

_add_reads(
    resource_type="Claim",
    model=ClaimTable,
    visible=_SCOPE.claims,
    params={
        "patient": SearchParam(kind="reference", column=ClaimTable.patient_id, types=("Patient",)),
        "insurer": SearchParam(kind="reference", column=ClaimTable.payer, types=("Organization",)),
        "status": SearchParam(kind="token", column=ClaimTable.status),
        "created": SearchParam(kind="date", column=ClaimTable.created_at),
    },
)

_add_reads(
    resource_type="ClaimResponse",
    model=ClaimResponseTable,
    visible=_SCOPE.claim_responses,
    params={
        "request": SearchParam(kind="reference", column=ClaimResponseTable.claim_id, types=("Claim",)),
        "patient": SearchParam(kind="reference", column=ClaimResponseTable.patient_id, types=("Patient",)),
        "insurer": SearchParam(kind="reference", column=ClaimResponseTable.payer, types=("Organization",)),
        "status": SearchParam(kind="token", column=ClaimResponseTable.status),
        "outcome": SearchParam(kind="token", column=ClaimResponseTable.outcome),
        "created": SearchParam(kind="date", column=ClaimResponseTable.created_at),
    },
)

for _kind in (*fhir.entries.ACCEPTED_TYPES, "Composition"):
    if _kind not in _OWN_KINDS:
        _add_reads(
            resource_type=_kind,
            model=EnclosureTable,
            visible=_SCOPE.enclosures(_kind),
            params={
                "patient": SearchParam(
                    kind="reference", column=EnclosureTable.patient_id, types=("Patient",)
                ),
                "identifier": SearchParam(kind="tokens", column=EnclosureTable.identifiers),
                "status": SearchParam(kind="token", column=EnclosureTable.status),
            },
        )
