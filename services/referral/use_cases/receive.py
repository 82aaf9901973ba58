"""The one command behind the three doors: store what came, once, and triage it."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from services.referral import fhir, queries, rules
from services.referral.models.rows import Enclosure, Patient, Referral, SenderIdentifier, Task
from services.referral.models.submission import Piece, Submission
from services.referral.queries.intake import Placed, Recognised
from services.referral.states import TASK_STATUS, State, Turn
from services.referral.use_cases import find_duplicates, match_patient, record, triage
from services.referral.use_cases.changes import Changes
from services.referral.use_cases.match_patient import PatientMatch
from services.referral.use_cases.referral_file import ReferralFile, enclosure_of, local_day
from shared.context import Context
from shared.db import Transaction
from shared.errors import Conflict
from shared.events.catalog import referral as events
from shared.fhir import references, store
from shared.fhir.codes import TaskCode
from shared.reasons import Reason


class AnotherPatient(Conflict):
    """The sender's identifier stands on a referral of somebody else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The referral, and whether it is new or was sent before."""

    referral: Referral
    new: bool


# A piece of the sending, the row that it is, and whether that row is new.
Rows = list[tuple[Piece, Enclosure, bool]]


async def run(ctx: Context, tx: Transaction, submission: Submission) -> Receipt:
    """Store and triage a referral; the same sender's same identifier gets the first one again."""
    requester = str(ctx.caller.organization)
    known = await queries.intake.recognise(tx, submission, requester=requester)
    if known.sent_before is not None:
        return await _sent_before(tx, submission, known.sent_before, requester=requester)
    match = await match_patient.run(ctx, tx, submission, known=known)
    referral = _new_referral(ctx, submission, match)
    rows = _rows(submission, referral, known)
    _fill(ctx, submission, referral, rows)
    changes = Changes(ctx, _file(ctx, submission, referral, match, rows))
    result = triage.judge(ctx, changes.file)
    referral.answer = _answer(ctx, submission, referral, rows, match)
    others = () if match.new else await find_duplicates.run(ctx, tx, referral)
    changes.announce(events.ReferralReceived, match.patient)
    triage.decide(ctx, changes, result, open_referrals=others)
    sent = [row for _, row, new in rows if new]
    await match_patient.know_more(tx, match)
    names = [
        SenderIdentifier(requester=requester, token=token, referral_id=referral.id)
        for token in dict.fromkeys(submission.request.identifiers)
    ]
    await record.new(ctx, tx, changes, came_with=[*match_patient.new_rows(match), *sent, *names])
    await queries.intake.enter(tx, sent)
    return Receipt(referral=referral, new=True)


async def already_sent(ctx: Context, tx: Transaction, token: str) -> Referral | None:
    """Find the caller's referral with this identifier (`system|value`); nobody sends it at the same time."""
    requester = str(ctx.caller.organization)
    await queries.intake.lock_sender_identifier(tx, requester, token)
    first = await queries.referrals.sent_before(tx, requester, tokens=[token])
    return None if first is None else await queries.referrals.by_id(tx, first)


def unsaved_referral(ctx: Context, submission: Submission) -> ReferralFile:
    """Make the file of a submission that is not stored, for the dry run."""
    patient = {} if submission.patient is None else submission.patient.data
    blank = Referral(
        patient_id=Patient().id,
        requester="",
        sender="",
        sent_at=ctx.at,
        due_on=ctx.at.date(),
        site=ctx.clinic.sites[0].id,
        turn=Turn.CLINIC,
    )
    return ReferralFile(
        referral=blank,
        before=None,
        patient_data=patient,
        request=submission.request.data,
        enclosures=[(enclosure_of(piece, blank), piece.data) for piece in submission.enclosures],
        known={link: piece.data for piece in submission.enclosures for link in piece.links},
    )


def _new_referral(ctx: Context, submission: Submission, match: PatientMatch) -> Referral:
    data = submission.request.data
    site = ctx.clinic.sites[0].id
    days = timedelta(days=ctx.clinic.promise.days)
    return Referral(
        patient_id=match.patient.id,
        requester=str(ctx.caller.organization),
        sender=ctx.caller.client,
        identifiers=list(submission.request.identifiers),
        intent=data["intent"],
        priority=data.get("priority"),
        authored_on=fhir.reading.moment_of(data.get("authoredOn")),
        sent_at=ctx.at,
        due_on=local_day(ctx.at, site=site, clinic=ctx.clinic) + days,
        site=site,
        turn=Turn.CLINIC,
        reason=[Reason.of("received")],
        doubt=match.doubt,
    )


async def _sent_before(
    tx: Transaction, submission: Submission, referral_id: UUID, *, requester: str
) -> Receipt:
    first = await queries.referrals.by_id(tx, referral_id)
    if first is None:
        raise LookupError("a sender's identifier names no referral")
    patient = await queries.patients.by_id(tx, first.patient_id)
    if patient is not None and not match_patient.is_about(submission, patient):
        reason = Reason.of("sent-for-another")
        rules.steps.check(reason, refusal=AnotherPatient, of="ServiceRequest.identifier")
    # What is new among the identifiers is another name of the referral that was sent before.
    tokens = submission.request.identifiers
    await queries.intake.name_referral(tx, first.id, requester=requester, tokens=tokens)
    return Receipt(referral=first, new=False)


def _rows(submission: Submission, referral: Referral, known: Recognised) -> Rows:
    """Give each piece its row: what an `ifNoneExist` names, found in the directory or among those before it,
    else a new one.
    """
    placed: dict[tuple[str, str], Enclosure] = {
        name: _placed(name[0], found, referral) for name, found in known.directory.items()
    }
    rows: Rows = []
    for piece in submission.enclosures:
        condition = piece.if_none_exist
        if condition is not None and (found := placed.get((piece.type, condition))) is not None:
            rows.append((piece, found, False))
            continue
        row = enclosure_of(piece, referral)
        rows.append((piece, row, True))
        if piece.type in queries.intake.DIRECTORY_TYPES:
            placed = dict.fromkeys([(piece.type, token) for token in row.identifiers], row) | placed
    return rows


def _placed(resource_type: str, placed: Placed, referral: Referral) -> Enclosure:
    """Stand for a row that is not read: it is only named."""
    return Enclosure(
        id=placed.id,
        version=placed.version,
        type=resource_type,
        referral_id=referral.id,
        patient_id=referral.patient_id,
        requester=referral.requester,
    )


def _fill(ctx: Context, submission: Submission, referral: Referral, rows: Rows) -> None:
    """Give the referral and what came with it their bytes, in which each refers to our ids."""
    request = submission.request
    links = {link: f"{piece.type}/{row.id}" for piece, row, _ in rows for link in piece.links}
    links |= {link: f"ServiceRequest/{referral.id}" for link in request.links}
    if submission.patient is not None:
        links |= dict.fromkeys(submission.patient.links, f"Patient/{referral.patient_id}")
    outside = {link: target for link, target in links.items() if not link.startswith("#")}
    overlay = {
        "subject": {"reference": f"Patient/{referral.patient_id}"},
        "contained": _left_contained(submission),
    }
    store.fill(referral, references.replaced(request.raw, links), at=ctx.at, overlay=overlay)
    for piece, row, new in rows:
        if new:
            body = references.replaced(piece.raw, links if piece.index is None else outside)
            store.fill(row, body, at=ctx.at)


def _left_contained(submission: Submission) -> list[object] | None:
    stated = submission.request.data.get("contained", [])
    left = [
        resource for resource in stated if resource.get("resourceType") not in fhir.submission.ACCEPTED_TYPES
    ]
    return left or None


def _file(
    ctx: Context, submission: Submission, referral: Referral, match: PatientMatch, rows: Rows
) -> ReferralFile:
    task = Task(
        referral_id=referral.id,
        patient_id=referral.patient_id,
        code=TaskCode.PROCESS_REQUEST,
        status=TASK_STATUS[State.AWAITING_TRIAGE],
        owner=ctx.clinic.id,
        identifiers=[*referral.identifiers],
        authored_on=ctx.at,
    )
    return ReferralFile(
        referral=referral,
        before=None,
        patient=match.patient,
        patient_data=match.patient_data,
        request=submission.request.data,
        enclosures=[(row, piece.data) for piece, row, _ in rows],
        known={link: piece.data for piece, _, _ in rows for link in piece.links},
        process_task=task,
        moved=True,
    )


def _answer(
    ctx: Context, submission: Submission, referral: Referral, rows: Rows, match: PatientMatch
) -> list[dict[str, object]]:
    placed = {submission.request.index: fhir.answers.created("ServiceRequest", referral, at=ctx.at)}
    if submission.patient is not None and submission.patient.index is not None:
        placed[submission.patient.index] = fhir.answers.created(
            "Patient", match.patient, at=ctx.at, new=match.new
        )
    for piece, row, made in rows:
        if piece.index is not None:
            placed[piece.index] = fhir.answers.created(piece.type, row, at=ctx.at, new=made)
    if submission.request.index is None:
        return [placed[None]]
    return [placed[index] for index in range(submission.entries) if index in placed]
