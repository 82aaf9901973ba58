"""Reads and searches of everything this service keeps, inside the caller's row scope."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from fastapi import APIRouter
from sqlalchemy import ColumnElement, and_, false, or_
from sqlmodel import col

from services.referral import fhir, queries
from services.referral.models.tables import (
    ClaimResponseTable,
    ClaimTable,
    EnclosureTable,
    ReferralTable,
    TaskTable,
)
from shared.directory import rows as directory
from shared.errors import Invalid
from shared.fhir import search_values
from shared.fhir.codes import BUSINESS_STATUS_SYSTEM, TASK_CODE_SYSTEM
from shared.fhir.search import Include, SearchParam
from shared.fhir.search_values import Token, as_uuid
from shared.fhir.status_systems import STATUS_SYSTEMS
from shared.http import directory_reads
from shared.http.resources import add_reads

router = APIRouter()

_SCOPE, _PATIENTS = queries.scope, queries.scope.PATIENTS
_add_reads = partial(add_reads, router, rows=_SCOPE.ROWS)
_OWN_KINDS = ("Patient", "ServiceRequest")
_FHIR = "http://hl7.org/fhir"


def _patient(column: Any) -> Include:
    return Include(resource_type="Patient", model=_PATIENTS, column=column, visible=_SCOPE.patients_as_seen)


def _referral(column: Any, *, holds: Any = None) -> Include:
    return Include(
        resource_type="ServiceRequest",
        model=ReferralTable,
        column=column,
        visible=_SCOPE.referrals,
        holds=holds,
    )


# What referrals are searched by.
REFERRAL_PARAMS = {
    "identifier": SearchParam(kind="tokens", column=ReferralTable.identifiers),
    "patient": SearchParam(kind="reference", column=ReferralTable.patient_id, types=("Patient",)),
    "subject": SearchParam(kind="reference", column=ReferralTable.patient_id, types=("Patient",)),
    "requester": SearchParam(kind="reference", column=ReferralTable.requester, types=("Organization",)),
    "status": SearchParam(kind="token", column=ReferralTable.status, system=STATUS_SYSTEMS["ServiceRequest"]),
    "intent": SearchParam(kind="token", column=ReferralTable.intent, system=f"{_FHIR}/request-intent"),
    "priority": SearchParam(kind="token", column=ReferralTable.priority, system=f"{_FHIR}/request-priority"),
    "authored": SearchParam(kind="date", column=ReferralTable.authored_on),
}

_add_reads(
    resource_type="ServiceRequest",
    model=ReferralTable,
    visible=_SCOPE.referrals,
    params=REFERRAL_PARAMS,
    includes={
        "ServiceRequest:patient": _patient(ReferralTable.patient_id),
        "ServiceRequest:subject": _patient(ReferralTable.patient_id),
    },
    elsewhere={"Appointment:based-on": "scheduling", "CarePlan:based-on": "careteam"},
)

# What a form says by these stands in no address.
_person = partial(SearchParam, names_a_person=True)


def _is_called(text: str) -> ColumnElement[bool]:
    beginnings, _ = fhir.found_by.of_words(text)
    if max((len(key.removeprefix("name:")) for key in beginnings), default=0) < 2:
        raise Invalid("two letters of a part of a name are needed, or more", expression="name")
    return queries.found_by.with_all(beginnings)


def _by_name(texts: Sequence[str]) -> ColumnElement[Any]:
    return queries.found_by.rank([fhir.found_by.of_words(text)[1] for text in texts])


def _has_number(token: Token) -> ColumnElement[bool]:
    keys = fhir.found_by.of_number(token.code)
    if not keys or token.system not in (None, "phone"):
        raise Invalid("a telephone number of seven digits is needed, or more", expression="phone")
    return queries.found_by.with_any(keys)


def _carries(token: Token) -> ColumnElement[bool]:
    if not token.code:
        return search_values.clause("tokens", _PATIENTS.identifiers, token)
    return queries.found_by.with_all(fhir.found_by.of_token(token))


_add_reads(
    resource_type="Patient",
    model=_PATIENTS,
    visible=_SCOPE.patients_as_seen,
    params={
        "identifier": _person(kind="tokens", column=_PATIENTS.identifiers, matches=_carries),
        "family": _person(kind="string", column=_PATIENTS.family),
        "given": _person(kind="string", column=_PATIENTS.given),
        "name": _person(kind="string", column=_PATIENTS.family, matches=_is_called, rank=_by_name),
        "birthdate": _person(kind="date", column=_PATIENTS.birth_date, matches=queries.found_by.born),
        "phone": _person(kind="tokens", column=_PATIENTS.found_by, matches=_has_number),
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
        "status": SearchParam(kind="token", column=TaskTable.status, system=STATUS_SYSTEMS["Task"]),
        "code": SearchParam(kind="coding", column=TaskTable.code, system=TASK_CODE_SYSTEM),
        "identifier": SearchParam(kind="tokens", column=TaskTable.identifiers),
        "authored-on": SearchParam(kind="date", column=TaskTable.authored_on),
        "business-status": SearchParam(
            kind="coding",
            column=TaskTable.status,
            system=BUSINESS_STATUS_SYSTEM,
            matches=queries.tasks.with_business_status,
        ),
        "requester": SearchParam(
            kind="reference",
            column=TaskTable.referral_id,
            types=("Organization",),
            matches=queries.tasks.of_requester,
        ),
    },
    includes={
        "Task:focus": _referral(TaskTable.referral_id),
        "Task:based-on": _referral(TaskTable.referral_id),
        "Task:patient": _patient(TaskTable.patient_id),
    },
)


def _is_claim(token: Token) -> ColumnElement[bool]:
    """Hold for the Claim that we call so (`fhir.authorization`)."""
    found = as_uuid(token.code)
    ours = token.system in (None, fhir.authorization.CLAIM_IDENTIFIER) and found is not None
    return col(ClaimTable.id) == found if ours else false()


def _is_of_member(token: Token) -> ColumnElement[bool]:
    return col(ClaimTable.members).contains([token.code]) if token.system is None else false()


_add_reads(
    resource_type="Claim",
    model=ClaimTable,
    visible=_SCOPE.claims,
    params={
        "patient": SearchParam(kind="reference", column=ClaimTable.patient_id, types=("Patient",)),
        "insurer": SearchParam(kind="reference", column=ClaimTable.payer, types=("Organization",)),
        "status": SearchParam(kind="token", column=ClaimTable.status, system=STATUS_SYSTEMS["Claim"]),
        "created": SearchParam(kind="date", column=ClaimTable.created_at),
        "identifier": SearchParam(kind="tokens", column=ClaimTable.members, matches=_is_claim),
        "subscriber-id": _person(kind="tokens", column=ClaimTable.members, matches=_is_of_member),
    },
    includes={"Claim:patient": _patient(ClaimTable.patient_id)},
)

_add_reads(
    resource_type="ClaimResponse",
    model=ClaimResponseTable,
    visible=_SCOPE.claim_responses,
    params={
        "request": SearchParam(kind="reference", column=ClaimResponseTable.claim_id, types=("Claim",)),
        "patient": SearchParam(kind="reference", column=ClaimResponseTable.patient_id, types=("Patient",)),
        "insurer": SearchParam(kind="reference", column=ClaimResponseTable.payer, types=("Organization",)),
        "status": SearchParam(
            kind="token", column=ClaimResponseTable.status, system=STATUS_SYSTEMS["ClaimResponse"]
        ),
        "outcome": SearchParam(
            kind="token", column=ClaimResponseTable.outcome, system=f"{_FHIR}/remittance-outcome"
        ),
        "created": SearchParam(kind="date", column=ClaimResponseTable.created_at),
    },
    includes={
        "ClaimResponse:request": Include(
            resource_type="Claim",
            model=ClaimTable,
            column=ClaimResponseTable.claim_id,
            visible=_SCOPE.claims,
        ),
        "ClaimResponse:patient": _patient(ClaimResponseTable.patient_id),
    },
)

# The parameter by which a resource names the referral that it is about.
_ABOUT_REFERRAL = {"Communication": "based-on", "Provenance": "target"}


# What a Provenance is about is sent or made here: a referral, or a patient whose record was changed.
_ABOUT = {"Communication": ("ServiceRequest",), "Provenance": ("ServiceRequest", "Patient")}


def _names_referral(referral_id: Any) -> Any:
    found = as_uuid(referral_id)
    if found is None:
        return false()
    return and_(col(EnclosureTable.referral_id) == found, queries.enclosures.names_its_referral())


def _names_target(target_id: Any) -> Any:
    found = as_uuid(target_id)
    if found is None:
        return false()
    about_patient = and_(col(EnclosureTable.patient_id) == found, queries.enclosures.is_about_its_patient())
    return or_(_names_referral(target_id), about_patient)


def _params_of(kind: str) -> dict[str, SearchParam]:
    params = {
        "patient": SearchParam(kind="reference", column=EnclosureTable.patient_id, types=("Patient",)),
        "identifier": SearchParam(kind="tokens", column=EnclosureTable.identifiers),
    }
    if (system := STATUS_SYSTEMS.get(kind)) is not None:
        params["status"] = SearchParam(kind="token", column=EnclosureTable.status, system=system)
    if (about := _ABOUT_REFERRAL.get(kind)) is not None:
        params[about] = SearchParam(
            kind="reference",
            column=EnclosureTable.referral_id,
            types=_ABOUT[kind],
            matches=_names_target if kind == "Provenance" else _names_referral,
        )
    return params


def _includes_of(kind: str) -> dict[str, Include]:
    includes = {f"{kind}:patient": _patient(EnclosureTable.patient_id)}
    if (about := _ABOUT_REFERRAL.get(kind)) is not None:
        holds = queries.enclosures.names_its_referral()
        includes[f"{kind}:{about}"] = _referral(EnclosureTable.referral_id, holds=holds)
    return includes


for _kind in directory.TYPES:
    _entry = queries.directory.DIRECTORY
    _add_reads(
        resource_type=_kind,
        model=_entry,
        visible=queries.directory.of_type(_kind),
        rows=f"{directory_reads.ROWS}; and what was sent with {_SCOPE.ROWS}",
        params={
            **directory_reads.params_of(_kind, model=_entry),
            "patient": SearchParam(kind="reference", column=_entry.patient_id, types=("Patient",)),
        },
        includes={
            **directory_reads.includes_of(_kind, visible=queries.directory.of_type, model=_entry),
            f"{_kind}:patient": _patient(_entry.patient_id),
        },
        named=directory.named(_kind, model=_entry),
    )

for _kind in (*fhir.entries.ACCEPTED_TYPES, "Composition"):
    if _kind not in (*_OWN_KINDS, *directory.TYPES):
        _add_reads(
            resource_type=_kind,
            model=EnclosureTable,
            visible=_SCOPE.enclosures(_kind),
            params=_params_of(_kind),
            includes=_includes_of(_kind),
        )
