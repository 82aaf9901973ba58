"""Who the patient is: matched by identifier, never merged silently."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlmodel import SQLModel

from services.referral import fhir, queries, rules
from services.referral.models.rows import Patient, PatientIdentifier, Referral
from services.referral.models.submission import Piece, Submission
from services.referral.queries.intake import Recognised
from services.referral.use_cases import describe_patient
from services.referral.use_cases.describe_patient import Description
from services.referral.use_cases.referral_file import Resource, decoded
from shared.context import Context
from shared.db import Transaction
from shared.errors import Invalid, Stale
from shared.fhir import store


class UnknownPatient(Invalid):
    """The patient is named by something that we do not know from this sender."""

    code = "not-found"


class SeveralPatients(Stale):
    """A condition on the patient finds several of this sender."""

    code = "multiple-matches"


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientMatch:
    """The patient; `resembles` are others who carry the same identifiers, where it is open who it is.

    `tokens` are the identifiers to put down. `described` is what the sender says of the patient, which is all
    that it is told: not whether another one has sent the patient before.
    """

    patient: Patient
    patient_data: Resource
    new: bool
    described: Description = field(default_factory=Description)
    resembles: tuple[UUID, ...] = ()
    tokens: tuple[str, ...] = ()


async def run(ctx: Context, tx: Transaction, submission: Submission, *, known: Recognised) -> PatientMatch:
    """Match the patient by identifier or make a new one; raises UnknownPatient and SeveralPatients.

    A condition of the sender is judged by what that sender has sent before and nothing else; whom the clinic
    knows is found behind it.
    """
    piece = submission.patient
    if piece is None:
        found = await known_patient(ctx, tx, submission, matches=known.patients)
        return PatientMatch(patient=found, patient_data=decoded(found.body), new=False)
    chosen = await _meant(ctx, tx, piece, matches=known.patients)
    same, carriers = await _same(ctx, tx, piece, matches=known.patients)
    if chosen is None and not same:
        new = _new(ctx, piece)
        return PatientMatch(
            patient=new, patient_data=piece.data, new=True, resembles=carriers, tokens=piece.identifiers
        )
    patient = await queries.patients.locked_to_go_on(tx, same[0] if chosen is None else chosen)
    others = tuple(other for other in same if other != patient.id)
    described = await describe_patient.run(ctx, tx, patient, piece, requester=str(ctx.caller.organization))
    data = decoded(patient.body) if _was_followed(submission, known.patients) else piece.data
    return PatientMatch(patient=patient, patient_data=data, new=False, described=described, resembles=others)


async def _meant(ctx: Context, tx: Transaction, piece: Piece, *, matches: Sequence[Patient]) -> UUID | None:
    """Find whom the condition on a Patient means, among those whom this sender has described so.

    Who contradicts what is sent is not meant: twins share a card. Raises SeveralPatients.
    """
    token = piece.if_none_exist or piece.update_where
    if token is None or not matches:
        return None
    ids = [patient.id for patient in matches]
    mine = await queries.patients.described(tx, ids, requester=str(ctx.caller.organization), tokens=[token])
    person = fhir.people.demographics(piece.data)
    fitting = {
        patient.replaced_by or patient.id
        for patient in matches
        if patient.id in mine and not rules.identity.contradicts(patient, person)
    }
    if len(fitting) > 1:
        text = "several patients that you have sent carry this identifier"
        where = "ifNoneExist" if piece.if_none_exist else "url"
        raise SeveralPatients(text, expression=f"Bundle.entry[{piece.index}].request.{where}")
    return next(iter(fitting), None)


async def _same(
    ctx: Context, tx: Transaction, piece: Piece, *, matches: Sequence[Patient]
) -> tuple[list[UUID], tuple[UUID, ...]]:
    """Return the records that are this person, the sender's own first, and all who carry an identifier."""
    person = fhir.people.demographics(piece.data)
    same = {
        patient.replaced_by or patient.id
        for patient in matches
        if rules.identity.same_person(patient, person)
    }
    carriers = {patient.replaced_by or patient.id for patient in matches}
    mine: Sequence[UUID] = ()
    if len(same) > 1:
        requester, tokens = str(ctx.caller.organization), piece.identifiers
        mine = await queries.patients.described(tx, same, requester=requester, tokens=tokens)
    return sorted(same, key=lambda found: (found not in mine, found)), tuple(sorted(carriers))


def _was_followed(submission: Submission, matches: Sequence[Patient]) -> bool:
    """Tell whether a patient was found by the record that replaced the one that was sent, and not by that."""
    own = set(() if submission.patient is None else submission.patient.identifiers)
    return bool(submission.replaced_by) and not any(own & set(patient.identifiers) for patient in matches)


def new_rows(match: PatientMatch) -> list[SQLModel]:
    """Return what is to be inserted of a new patient; the locks on the identifiers are held."""
    if not match.new:
        return []
    carried = [
        PatientIdentifier(token=token, patient_id=match.patient.id) for token in dict.fromkeys(match.tokens)
    ]
    return [match.patient, *carried]


async def known_patient(
    ctx: Context, tx: Transaction, submission: Submission, *, matches: Sequence[Patient]
) -> Patient:
    """Find the patient whom a sending only names, by our id or as this sender has described them.

    A record that was merged into another is followed to that one. Raises UnknownPatient.
    """
    requester = str(ctx.caller.organization)
    if submission.patient_id is not None:
        seen = await queries.patients.visible_to(tx, ctx.caller, submission.patient_id)
        found = [] if seen is None else [seen.id]
    else:
        ids, tokens = [patient.id for patient in matches], submission.patient_identifiers
        found = await queries.patients.described(tx, ids, requester=requester, tokens=tokens)
    named = await queries.patients.lock_all(tx, found)
    goes_on = {patient.replaced_by or patient.id for patient in named}
    if len(goes_on) != 1:
        text = "this patient is not known from you: send the Patient along"
        raise UnknownPatient(text, expression="ServiceRequest.subject")
    if len(named) == 1 and named[0].replaced_by is None:
        return named[0]
    patient = await queries.patients.locked_to_go_on(tx, goes_on.pop())
    await describe_patient.carry_over(ctx, tx, named[0].id, patient, requester=requester)
    return patient


async def is_about(tx: Transaction, submission: Submission, referral: Referral, patient: Patient) -> bool:
    """Tell whether a sending can be about a referral's patient: it bears an identifier that the same sender
    has stated of them, or contradicts nothing that it has said.
    """
    if submission.patient_id is not None:
        return submission.patient_id in (patient.id, patient.replaced_by)
    person, tokens = await describe_patient.described_by(tx, patient, referral.requester)
    if submission.patient is None:
        return bool(tokens & set(submission.patient_identifiers))
    if tokens & set(submission.patient.identifiers):
        return True
    return not rules.identity.contradicts(person, fhir.people.demographics(submission.patient.data))


def _new(ctx: Context, piece: Piece) -> Patient:
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
