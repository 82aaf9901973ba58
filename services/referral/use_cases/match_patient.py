"""Who the patient is: matched by identifier, never merged silently."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlmodel import SQLModel

from services.referral import fhir, queries, rules
from services.referral.models.rows import Patient, PatientIdentifier, Referral, SourceRecord
from services.referral.models.submission import Piece, Submission
from services.referral.queries.intake import Recognised
from services.referral.use_cases import describe_patient, referral_file
from services.referral.use_cases.describe_patient import Description
from services.referral.use_cases.referral_file import Resource
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

    `died_elsewhere` says that another record of the person knows of a death. `described` is what the sender
    says of the patient, which is all that it is told: not whether another one has sent the patient before.
    """

    patient: Patient
    patient_data: Resource
    new: bool
    died_elsewhere: bool = False
    described: Description = field(default_factory=Description)
    resembles: tuple[UUID, ...] = ()


async def run(ctx: Context, tx: Transaction, submission: Submission, *, known: Recognised) -> PatientMatch:
    """Match the patient by identifier or make a new one; raises UnknownPatient and SeveralPatients.

    A condition of the sender is judged by what that sender has sent before and nothing else; whom the clinic
    knows is found behind it.
    """
    piece = submission.patient
    if piece is None:
        return await _named(ctx, tx, submission, matches=known.patients)
    requester, matches = submission.requester, known.patients
    ids = [patient.id for patient in matches]
    said = await queries.patients.said_of(tx, ids, requester=requester) if ids else []
    same = [*_meant(piece, matches, said), *_same(piece, matches, said)]
    carriers = dict.fromkeys(sorted(_goes_on(patient) for patient in matches))
    if not same:
        new = _new(ctx, piece, requester=requester)
        return PatientMatch(
            patient=new,
            patient_data=piece.data,
            new=True,
            resembles=tuple(carriers),
        )
    patient = await queries.patients.locked_to_go_on(tx, same[0])
    described = await describe_patient.run(ctx, tx, patient, piece, requester=requester)
    data = piece.data
    if _was_followed(submission, matches):
        data = {name: value for name, value in data.items() if name not in ("active", "link")}
    others = [other for other in dict.fromkeys(same) if other != patient.id]
    return PatientMatch(
        patient=patient,
        patient_data=data,
        new=False,
        died_elsewhere=await referral_file.died_elsewhere(tx, patient),
        described=described,
        resembles=(*others, *described.resembles),
    )


async def _named(
    ctx: Context, tx: Transaction, submission: Submission, *, matches: Sequence[Patient]
) -> PatientMatch:
    """Take the patient whom a sending only names; of a merged record the one that goes on."""
    requester = submission.requester
    named, goes_on = await find_named(ctx, tx, submission, matches=matches)
    patient = await queries.patients.locked_to_go_on(tx, goes_on)
    if patient.id != named:
        await describe_patient.carry_over(ctx, tx, named, patient, requester=requester)
    return PatientMatch(
        patient=patient,
        patient_data=await referral_file.patient_as_sent(tx, patient, requester),
        new=False,
        died_elsewhere=await referral_file.died_elsewhere(tx, patient),
    )


def _meant(piece: Piece, matches: Sequence[Patient], said: Sequence[SourceRecord]) -> list[UUID]:
    """Find whom the condition on a Patient means, among those whom this sender has described so.

    Who contradicts what is sent is not meant: twins share a card. Raises SeveralPatients.
    """
    token = piece.if_none_exist or piece.update_where
    person = fhir.people.demographics(piece.data)
    mine = {
        own.patient_id
        for own in said
        if token in own.identifiers
        and not rules.identity.contradicts(describe_patient.person_of(own), person)
    }
    fitting = {_goes_on(patient) for patient in matches if patient.id in mine}
    if len(fitting) > 1:
        text = "several patients that you have sent carry this identifier"
        where = "ifNoneExist" if piece.if_none_exist else "url"
        raise SeveralPatients(text, expression=f"Bundle.entry[{piece.index}].request.{where}")
    return list(fitting)


def _same(piece: Piece, matches: Sequence[Patient], said: Sequence[SourceRecord]) -> list[UUID]:
    """Return the records that are this person, as the clinic knows them or this sender has described them;
    the sender's own first.
    """
    person = fhir.people.demographics(piece.data)
    same_to_sender = {
        own.patient_id for own in said if rules.identity.same_person(describe_patient.person_of(own), person)
    }
    mine = {own.patient_id for own in said}
    same = [
        patient
        for patient in matches
        if patient.id in same_to_sender or rules.identity.same_person(patient, person)
    ]
    return [_goes_on(found) for found in sorted(same, key=lambda found: (found.id not in mine, found.id))]


def _goes_on(patient: Patient) -> UUID:
    return patient.replaced_by or patient.id


def _was_followed(submission: Submission, matches: Sequence[Patient]) -> bool:
    """Tell whether a patient was found by the record that replaced the one that was sent, and not by that."""
    own = set(() if submission.patient is None else submission.patient.identifiers)
    return bool(submission.replaced_by) and not any(own & set(patient.identifiers) for patient in matches)


def new_rows(match: PatientMatch) -> list[SQLModel]:
    """Return what is to be inserted of a new patient; the locks on the identifiers are held."""
    if not match.new:
        return []
    carried = [
        PatientIdentifier(token=token, patient_id=match.patient.id)
        for token in dict.fromkeys(match.patient.identifiers)
    ]
    return [match.patient, *carried]


async def find_named(
    ctx: Context, tx: Transaction, submission: Submission, *, matches: Sequence[Patient]
) -> tuple[UUID, UUID]:
    """Find the patient whom a sending only names, by our id or as this sender has described them: the record
    that is named, and the one that goes on. Writes nothing; raises UnknownPatient.
    """
    if submission.patient_id is not None:
        seen = await queries.patients.visible_to(tx, ctx.caller, submission.patient_id)
        found = [] if seen is None or not await _is_known(tx, submission, seen) else [seen]
    else:
        ids, tokens = [patient.id for patient in matches], set(submission.patient_identifiers)
        said = await queries.patients.said_of(tx, ids, requester=submission.requester)
        mine = {own.patient_id for own in said if tokens & set(own.identifiers)}
        found = [patient for patient in matches if patient.id in mine]
    goes_on = {_goes_on(patient) for patient in found}
    if len(goes_on) != 1:
        whom = "you" if submission.entry is None else "this sender"
        text = f"this patient is not known from {whom}: send the Patient along"
        raise UnknownPatient(text, expression="ServiceRequest.subject")
    return found[0].id, goes_on.pop()


async def _is_known(tx: Transaction, submission: Submission, patient: Patient) -> bool:
    """Tell whether a patient may be named by our id: whom a coordinator sees, the sender need not know."""
    if submission.entry is None or submission.entry.is_self_referral:
        return True
    return bool(await describe_patient.said_by(tx, patient, submission.requester))


async def is_about(tx: Transaction, submission: Submission, referral: Referral, patient: Patient) -> bool:
    """Tell whether a sending can be about a referral's patient: it bears an identifier that the same sender
    has stated of them, on whichever record of theirs, or contradicts nothing that it has said.
    """
    if submission.patient_id is not None:
        named = await queries.patients.by_id(tx, submission.patient_id)
        return rules.identity.are_one(named, patient)
    said = await describe_patient.said_by(tx, patient, referral.requester)
    tokens = {token for own in said for token in own.identifiers}
    if submission.patient is None:
        return bool(tokens & set(submission.patient_identifiers))
    if tokens & set(submission.patient.identifiers):
        return True
    person = fhir.people.demographics(submission.patient.data)
    if not said:
        return not rules.identity.contradicts(patient, person)
    return any(not rules.identity.contradicts(describe_patient.person_of(own), person) for own in said)


def _new(ctx: Context, piece: Piece, *, requester: str) -> Patient:
    person = fhir.people.demographics(piece.data)
    patient = Patient(
        identifiers=list(piece.identifiers),
        family=person.family,
        given=person.given,
        birth_date=person.birth_date,
        found_by=fhir.found_by.keys(piece.data, piece.identifiers),
        deceased=fhir.people.is_deceased(piece.data),
        requester=requester,
    )
    store.fill(patient, piece.raw, at=ctx.at)
    return patient
