"""Reads and searches of everything this service keeps, inside the caller's row scope."""

from fastapi import APIRouter

from services.referral import fhir, queries
from services.referral.models import Claim, ClaimResponse, Enclosure, Patient, Referral, Task
from shared.fhir.search import Include, SearchParam
from shared.http.resources import add_reads

router = APIRouter()

_SCOPE = queries.scope
_OWN_KINDS = ("Patient", "ServiceRequest")

_PATIENT = Include(
    resource_type="Patient", model=Patient, column=Referral.patient_id, visible=_SCOPE.patients
)

add_reads(
    router,
    resource_type="ServiceRequest",
    model=Referral,
    visible=_SCOPE.referrals,
    rows=_SCOPE.ROWS,
    params={
        "identifier": SearchParam(kind="tokens", column=Referral.identifiers),
        "patient": SearchParam(kind="reference", column=Referral.patient_id, types=("Patient",)),
        "subject": SearchParam(kind="reference", column=Referral.patient_id, types=("Patient",)),
        "requester": SearchParam(kind="reference", column=Referral.requester, types=("Organization",)),
        "status": SearchParam(kind="token", column=Referral.status),
        "intent": SearchParam(kind="token", column=Referral.intent),
        "priority": SearchParam(kind="token", column=Referral.priority),
        "authored": SearchParam(kind="date", column=Referral.authored_on),
    },
    includes={"ServiceRequest:patient": _PATIENT, "ServiceRequest:subject": _PATIENT},
)

add_reads(
    router,
    resource_type="Patient",
    model=Patient,
    visible=_SCOPE.patients,
    rows=_SCOPE.ROWS,
    params={
        "identifier": SearchParam(kind="tokens", column=Patient.identifiers),
        "family": SearchParam(kind="string", column=Patient.family),
        "given": SearchParam(kind="string", column=Patient.given),
    },
)

add_reads(
    router,
    resource_type="Task",
    model=Task,
    visible=_SCOPE.tasks,
    rows=_SCOPE.ROWS,
    params={
        "focus": SearchParam(kind="reference", column=Task.referral_id, types=("ServiceRequest",)),
        "based-on": SearchParam(kind="reference", column=Task.referral_id, types=("ServiceRequest",)),
        "patient": SearchParam(kind="reference", column=Task.patient_id, types=("Patient",)),
        "owner": SearchParam(kind="reference", column=Task.owner, types=("Organization",)),
        "status": SearchParam(kind="token", column=Task.status),
        "code": SearchParam(kind="token", column=Task.code),
        "identifier": SearchParam(kind="tokens", column=Task.identifiers),
        "authored-on": SearchParam(kind="date", column=Task.authored_on),
    },
    includes={
        "Task:focus": Include(
            resource_type="ServiceRequest", model=Referral, column=Task.referral_id, visible=_SCOPE.referrals
        ),
        "Task:patient": Include(
            resource_type="Patient", model=Patient, column=Task.patient_id, visible=_SCOPE.patients
        ),
    },
)

add_reads(
    router,
    resource_type="Claim",
    model=Claim,
    visible=_SCOPE.claims,
    rows=_SCOPE.ROWS,
    params={
        "patient": SearchParam(kind="reference", column=Claim.patient_id, types=("Patient",)),
        "insurer": SearchParam(kind="reference", column=Claim.payer, types=("Organization",)),
        "status": SearchParam(kind="token", column=Claim.status),
        "created": SearchParam(kind="date", column=Claim.created_at),
    },
)

add_reads(
    router,
    resource_type="ClaimResponse",
    model=ClaimResponse,
    visible=_SCOPE.claim_responses,
    rows=_SCOPE.ROWS,
    params={
        "request": SearchParam(kind="reference", column=ClaimResponse.claim_id, types=("Claim",)),
        "patient": SearchParam(kind="reference", column=ClaimResponse.patient_id, types=("Patient",)),
        "insurer": SearchParam(kind="reference", column=ClaimResponse.payer, types=("Organization",)),
        "status": SearchParam(kind="token", column=ClaimResponse.status),
        "outcome": SearchParam(kind="token", column=ClaimResponse.outcome),
        "created": SearchParam(kind="date", column=ClaimResponse.created_at),
    },
)

for _kind in (*fhir.ACCEPTED_TYPES, "Composition"):
    if _kind not in _OWN_KINDS:
        add_reads(
            router,
            resource_type=_kind,
            model=Enclosure,
            visible=_SCOPE.enclosures(_kind),
            rows=_SCOPE.ROWS,
            params={
                "patient": SearchParam(kind="reference", column=Enclosure.patient_id, types=("Patient",)),
                "identifier": SearchParam(kind="tokens", column=Enclosure.identifiers),
                "status": SearchParam(kind="token", column=Enclosure.status),
            },
        )
