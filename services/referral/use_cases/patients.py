"""Who the patient is: matched by identifier, never merged silently."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from services.referral import fhir, queries, rules
from services.referral.models import Patient, Submission
from shared.context import Context
from shared.db import Transaction
from shared.errors import Invalid
from shared.fhir import store


class UnknownPatient(Invalid):
    """The patient is named by something that we do not know from this sender."""

    code = "not-found"


@dataclass(frozen=True, slots=True, kw_only=True)
class Matched:
    """The patient; `doubt` says in words why a person must look at the match."""

    patient: Patient
    patient_data: Mapping[str, Any]
    new: bool
    doubt: str | None = None


async def find_patient(
    ctx: Context, tx: Transaction, submission: Submission, *, candidate: Patient
) -> Matched:
    """Match the patient by identifier or make a new one; `candidate` is the row that a new one gets."""
    if submission.patient is None:
        return await _known_patient(ctx, tx, submission)
    tokens = submission.patient.identifiers
    await queries.lock_identifiers(tx, tokens)
    matches = await queries.patients_by_identifiers(tx, tokens) if tokens else []
    data = submission.patient.data
    family, _ = fhir.names(data)
    if len(matches) == 1 and rules.same_person(matches[0], family=family, birth_date=data.get("birthDate")):
        await queries.claim_patient_identifiers(tx, matches[0], tokens=tokens)
        matches[0].identifiers = list(dict.fromkeys([*matches[0].identifiers, *tokens]))
        return Matched(patient=matches[0], patient_data=data, new=False)
    return await new_patient(ctx, tx, submission, candidate, doubt=_DOUBT if matches else None)


async def new_patient(
    ctx: Context, tx: Transaction, submission: Submission, candidate: Patient, *, doubt: str | None = None
) -> Matched:
    """Make the patient that was sent along a new one, who gets the identifiers where there is no doubt."""
    if submission.patient is None:
        raise LookupError("a new patient is sent along")
    data = submission.patient.data
    candidate.identifiers = list(submission.patient.identifiers)
    candidate.family, candidate.given = fhir.names(data)
    candidate.birth_date = data.get("birthDate")
    await store.put(tx, candidate, submission.patient.raw, at=ctx.at)
    if doubt is None:
        queries.claim_new_patient(tx, candidate, tokens=submission.patient.identifiers)
    return Matched(patient=candidate, patient_data=data, new=True, doubt=doubt)


def is_about(submission: Submission, patient: Patient) -> bool:
    """Tell whether a sending is about this patient, as far as it says who it is about."""
    if submission.patient_id is not None:
        return submission.patient_id == patient.id
    if submission.patient is None:
        return bool(set(submission.patient_identifiers) & set(patient.identifiers))
    if set(submission.patient.identifiers) & set(patient.identifiers):
        return True
    data = submission.patient.data
    return rules.same_person(patient, family=fhir.names(data)[0], birth_date=data.get("birthDate"))


async def _known_patient(ctx: Context, tx: Transaction, submission: Submission) -> Matched:
    if submission.patient_id is not None:
        found = await queries.patient_visible_to(tx, ctx.caller, submission.patient_id)
    else:
        matches = await queries.patients_by_identifiers(tx, submission.patient_identifiers)
        only = matches[0] if len(matches) == 1 else None
        found = None if only is None else await queries.patient_visible_to(tx, ctx.caller, only.id)
    if found is None:
        text = "this patient is not known from you: send the Patient along"
        raise UnknownPatient(text, expression="ServiceRequest.subject")
    return Matched(patient=found, patient_data=msgspec.json.decode(found.body), new=False)


_DOUBT = (
    "An identifier of the patient belongs to somebody with another name or birth date, or to several people."
)
