"""Who the patient is: matched by identifier, never merged silently."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import SQLModel

from services.referral import fhir, queries, rules
from services.referral.models.rows import Patient, PatientIdentifier
from services.referral.models.submission import Submission
from services.referral.queries.intake import Recognised
from services.referral.use_cases.referral_file import Resource, decoded
from shared.context import Context
from shared.db import Transaction
from shared.errors import Invalid
from shared.fhir import store


class UnknownPatient(Invalid):
    """The patient is named by something that we do not know from this sender."""

    code = "not-found"


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientMatch:
    """The patient; in `doubt` where an identifier is somebody else's too. `tokens` are those to put down.

    `new_to_sender` is all that the sender is told: not whether another one has sent the patient before.
    """

    patient: Patient
    patient_data: Resource
    new: bool
    new_to_sender: bool = True
    doubt: bool = False
    tokens: tuple[str, ...] = ()


async def run(ctx: Context, tx: Transaction, submission: Submission, *, known: Recognised) -> PatientMatch:
    """Match the patient by identifier or make a new one; raises UnknownPatient."""
    if submission.patient is None:
        found = await known_patient(ctx, tx, submission, matches=known.patients)
        return PatientMatch(patient=found, patient_data=decoded(found.body), new=False)
    data, tokens = submission.patient.data, submission.patient.identifiers
    person = fhir.people.demographics(data)
    same = [patient for patient in known.patients if rules.identity.same_person(patient, person)]
    if len(same) == 1:
        followed = (set(submission.replaced_by) - set(tokens)) & set(same[0].identifiers)
        known_data = decoded(same[0].body) if followed else data
        seen = await queries.patients.visible_to(tx, ctx.caller, same[0].id)
        return PatientMatch(
            patient=same[0],
            patient_data=known_data,
            new=False,
            new_to_sender=seen is None,
            tokens=tokens,
        )
    doubt = bool(known.patients)
    return PatientMatch(
        patient=_new(ctx, submission), patient_data=data, new=True, doubt=doubt, tokens=tokens
    )


def new_rows(match: PatientMatch) -> list[SQLModel]:
    """Return what is to be inserted of a new patient; the locks on the identifiers are held."""
    if not match.new:
        return []
    carried = [
        PatientIdentifier(token=token, patient_id=match.patient.id) for token in dict.fromkeys(match.tokens)
    ]
    return [match.patient, *carried]


async def know_more(tx: Transaction, match: PatientMatch) -> None:
    """Write what a sending tells of a patient who is known: further identifiers."""
    patient = match.patient
    if match.new:
        return
    if more := [token for token in match.tokens if token not in patient.identifiers]:
        await tx.update(patient, identifiers=[*patient.identifiers, *more])
    await queries.patients.claim_identifiers(tx, patient.id, tokens=match.tokens)


async def known_patient(
    ctx: Context, tx: Transaction, submission: Submission, *, matches: Sequence[Patient]
) -> Patient:
    """Find the patient whom a sending only names, among those whom the caller may see."""
    named = [submission.patient_id] if submission.patient_id else [patient.id for patient in matches]
    seen = [await queries.patients.visible_to(tx, ctx.caller, patient_id) for patient_id in named]
    found = [patient for patient in seen if patient is not None]
    if len(found) != 1:
        text = "this patient is not known from you: send the Patient along"
        raise UnknownPatient(text, expression="ServiceRequest.subject")
    return found[0]


def is_about(submission: Submission, patient: Patient) -> bool:
    """Tell whether a sending can be about this patient: it bears an identifier of theirs, or contradicts
    nothing that is known.
    """
    if submission.patient_id is not None:
        return submission.patient_id == patient.id
    if submission.patient is None:
        return bool(set(submission.patient_identifiers) & set(patient.identifiers))
    if set(submission.patient.identifiers) & set(patient.identifiers):
        return True
    return not rules.identity.contradicts(patient, fhir.people.demographics(submission.patient.data))


def _new(ctx: Context, submission: Submission) -> Patient:
    piece = submission.patient
    if piece is None:
        raise LookupError("a new patient is sent along")
    person = fhir.people.demographics(piece.data)
    patient = Patient(
        identifiers=list(piece.identifiers),
        family=person.family,
        given=person.given,
        birth_date=person.birth_date,
        deceased=fhir.people.is_deceased(piece.data),
        requester=ctx.caller.organization,
    )
    store.fill(patient, piece.raw, at=ctx.at)
    return patient
