"""The referrer answers what was asked, or sends something late; the raw clock goes on."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from services.referral import fhir, queries, rules
from services.referral.models.rows import Enclosure, Referral
from services.referral.models.submission import Piece
from services.referral.use_cases import (
    answered,
    attach,
    complete_patient,
    follow_consent,
    reconsider,
    record,
    referral_file,
)
from services.referral.use_cases.changes import Changes
from services.referral.use_cases.referral_file import ReferralFile
from shared.context import Context
from shared.db import Transaction
from shared.errors import Conflict, Invalid, Problem
from shared.events.catalog import referral as events
from shared.fhir import condition, references, store
from shared.fhir.codes import TaskCode
from shared.fhir.references import ABOUT, Form

_PATIENT_MEMBERS = (*ABOUT, "individual")


class NothingProvided(Invalid):
    """There is nothing in the call that a referral could take."""

    code = "required"


class AnotherPatientsResource(Invalid):
    """A resource is about somebody else."""


class Ended(Conflict):
    """The referral has ended; nothing is added to it."""


class AcknowledgeFirst(Conflict):
    """An emergency is a hard stop: nothing is added before the referrer has acknowledged it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provided:
    """The referral as it now stands, and the rows of what was added to it, in the order of their pieces."""

    referral: Referral
    rows: Sequence[Enclosure]


async def run(ctx: Context, tx: Transaction, referral_id: str, *, pieces: Sequence[Piece]) -> Referral:
    """Add the resources of a Parameters body (see `add`)."""
    places = [f"Parameters.parameter[{index}].resource" for index in range(len(pieces))]
    return (await add(ctx, tx, referral_id, pieces=pieces, places=places)).referral


async def add(
    ctx: Context,
    tx: Transaction,
    referral_id: str,
    *,
    pieces: Sequence[Piece],
    places: Sequence[str],
    answers_at: Sequence[str] | None = None,
) -> Provided:
    """Store what was sent, triage again where no verdict stands, and follow the newest Consent.

    `places` says where in the body each piece stands (FHIRPath); where the first piece is what the sender
    says in words, `answers_at` says where it names each thing that it answers.

    An answer to a decline, or to an emergency that was acknowledged, reopens the referral; what a person had
    asked or declined, a person reads. Raises Ended and AcknowledgeFirst where nothing can follow, and
    AnswersNothing.
    """
    seen = await queries.referrals.visible_to(tx, ctx.caller, referral_id)
    await tx.lock_names([token for piece in pieces if piece.type == "Patient" for token in piece.identifiers])
    await complete_patient.lock_first(tx, pieces, records=[] if seen is None else [seen.patient_id])
    file = await referral_file.for_caller(ctx, tx, referral_id)
    reason = rules.acts.may_provide_information(ctx, file.referral)
    first = reason is not None and reason.code == "acknowledge-first"
    rules.steps.check(reason, refusal=AcknowledgeFirst if first else Ended)
    await check(ctx, tx, pieces, places, file)
    changes = Changes(ctx, file)
    if answers_at is not None:
        answered.check(ctx, pieces[0].data, file, places=answers_at)
        answered.end(changes, TaskCode.ANSWER_CLINIC)
    rows = await keep(ctx, tx, pieces, places, file)
    for piece in pieces:
        if piece.type == "Patient":
            await complete_patient.describe_again(ctx, tx, changes, piece, adds=True)
    await reconsider.run(ctx, tx, changes, because=events.ReferralInformationProvided)
    follow_consent.decide(ctx, changes)
    return Provided(referral=await record.run(ctx, tx, changes), rows=rows)


async def check(
    ctx: Context, tx: Transaction, pieces: Sequence[Piece], places: Sequence[str], file: ReferralFile
) -> None:
    """Hold what is added to what a referral takes, and to its patient; raises NothingProvided and
    AnotherPatientsResource.
    """
    if not pieces:
        text = "what is provided: one parameter with a resource, or more"
        raise NothingProvided(text, expression="Parameters.parameter.resource")
    records = await queries.patients.records(tx, file.referral.patient_id)
    ours = {str(one.id) for one in records}
    problems = []
    for piece, where in zip(pieces, places, strict=True):
        if piece.type not in fhir.entries.ACCEPTED_TYPES or piece.type == "ServiceRequest":
            text = f"a {piece.type} cannot be added to a referral"
            problems.append(Problem(text=text, code="not-supported", expression=where))
        if piece.type == "Patient" and not may_be(file, piece):
            problems.append(Problem(text="another patient than the referred one", expression=where))
        for member in _PATIENT_MEMBERS:
            named = piece.data.get(member)
            if isinstance(named, dict) and _is_somebody_else(ctx, named, piece, file=file, ours=ours):
                text = "another patient than the referred one"
                problems.append(Problem(text=text, expression=f"{where}.{member}"))
    if problems:
        raise AnotherPatientsResource(problems=problems)


def may_be(file: ReferralFile, piece: Piece) -> bool:
    """Tell whether a Patient that was sent can be the referred one: it contradicts nothing said before."""
    said = fhir.people.demographics(file.patient_data)
    return not rules.identity.contradicts(said, fhir.people.demographics(piece.data))


def _is_somebody_else(
    ctx: Context, named: dict[str, Any], piece: Piece, *, file: ReferralFile, ours: Collection[str]
) -> bool:
    """Tell whether a reference names a patient who is not known to be the referred one: by none of our
    addresses, or by an identifier that this sender has not said of the person. What names them both ways is
    held to both; the address of another server is the identifier's to say.
    """
    parsed = references.parse(named)
    if parsed.type not in (None, "Patient"):
        return False
    searched = condition.identifier(parsed.text, resource_type="Patient") if "?" in parsed.text else None
    identified = {*fhir.reading.tokens([named.get("identifier")]), *filter(None, [searched])}
    if identified and not identified & set(fhir.reading.tokens(file.patient_data.get("identifier"))):
        return True
    if parsed.form is Form.FRAGMENT:
        inside = [one for one in fhir.pieces.contained(piece.raw) if parsed.text in one.links]
        return any(one.type == "Patient" and _is_described_otherwise(one, file) for one in inside)
    if identified and not (parsed.id and references.is_ours(parsed, ctx.urls)):
        return False
    return parsed.type == "Patient" and not (references.is_ours(parsed, ctx.urls) and parsed.id in ours)


def _is_described_otherwise(patient: Piece, file: ReferralFile) -> bool:
    """Tell whether a contained Patient contradicts what the sender said before, its identifiers among it."""
    said = fhir.reading.tokens(file.patient_data.get("identifier"))
    return not may_be(file, patient) or rules.identity.has_another_value(patient.identifiers, known=said)


async def keep(
    ctx: Context, tx: Transaction, pieces: Sequence[Piece], places: Sequence[str], file: ReferralFile
) -> Sequence[Enclosure]:
    """Store what was sent, and put it into the file."""
    referral = file.referral
    namings = []
    for piece, where in zip(pieces, places, strict=True):
        if piece.type != "Patient":
            row = referral_file.enclosure_of(piece, referral)
            store.fill(row, piece.raw, at=ctx.at, overlay=_own_patient(piece, referral))
            namings.append(attach.Naming(piece=piece, row=row, where=where))
    rows = [naming.row for naming in namings]
    await tx.insert(*rows)
    await queries.intake.enter(tx, rows)
    await attach.run(ctx, tx, referral, namings)
    file.add(rows)
    return rows


def _own_patient(piece: Piece, referral: Referral) -> dict[str, object]:
    """Name our patient where the sender named him by an identifier."""
    return {
        member: {**named, "reference": f"Patient/{referral.patient_id}"}
        for member in ("subject", "patient", "beneficiary")
        if isinstance(named := piece.data.get(member), dict) and "reference" not in named
    }
