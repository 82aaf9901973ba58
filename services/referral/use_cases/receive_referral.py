"""The one command behind the three doors: store what came, once, and triage it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from services.referral import fhir, queries
from services.referral.models import Enclosure, Patient, Piece, Referral, Submission, Task
from services.referral.states import TASK_STATUS, State, Turn
from services.referral.use_cases.gathering import Gathered, local_day
from services.referral.use_cases.patients import find_patient, is_about, new_patient
from services.referral.use_cases.recording import announce
from services.referral.use_cases.triage_referral import judge, triage_referral
from shared.context import Context
from shared.db import Transaction
from shared.errors import Conflict
from shared.events.catalog import referral as events
from shared.fhir import references, store
from shared.fhir.codes import TaskCode


class AnotherPatient(Conflict):
    """The sender's identifier stands on a referral of somebody else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The referral, and whether it is new or was sent before."""

    referral: Referral
    new: bool


def may_be_bold(submission: Submission) -> bool:
    """Tell whether a referral can be taken for a new patient's: whoever is not sent along is known."""
    return submission.patient is not None


async def receive_referral(
    ctx: Context, tx: Transaction, submission: Submission, *, bold: bool = False
) -> Receipt:
    """Store and triage a referral; the same sender's same identifier gets the first one again.

    A `bold` one takes referral and patient for new without looking (`may_be_bold`): all that it writes goes
    as one statement, which fails where an identifier is known, and the caller does it again, not bold.
    """
    candidate = Patient()
    referral = _new_referral(ctx, submission, candidate)
    if bold:
        queries.claim_sending(tx, referral, tokens=submission.request.identifiers)
        matched = await new_patient(ctx, tx, submission, candidate)
    else:
        first = await queries.claim_sender_identifiers(tx, referral, tokens=submission.request.identifiers)
        if first is not None:
            return await _sent_before(tx, submission, first=await tx.get(Referral, first))
        matched = await find_patient(ctx, tx, submission, candidate=candidate)
    referral.patient_id, referral.doubt = matched.patient.id, matched.doubt
    rows = await _rows(tx, submission, referral, bold=bold)
    gathered = Gathered(
        patient=matched.patient_data,
        request=submission.request.data,
        enclosures=[(row, piece.data) for piece, row, _ in rows],
        known={link: piece.data for piece, _, _ in rows for link in piece.links},
    )
    judged = judge(ctx, referral, gathered)
    await _store(ctx, tx, submission, referral, rows)
    referral.answer = _answer(submission, referral, rows, matched.patient, new=matched.new, at=ctx.at)
    task = await _first_task(ctx, tx, referral)
    announce(ctx, tx, events.ReferralReceived, referral, task, matched.patient.body)
    await triage_referral(ctx, tx, referral, gathered, judged=judged)
    return Receipt(referral=referral, new=True)


async def already_sent(ctx: Context, tx: Transaction, token: str) -> Referral | None:
    """Find the caller's referral with this identifier (`system|value`); nobody sends it at the same time."""
    await queries.lock_identifiers(tx, [token])
    first = await queries.sent_before(tx, str(ctx.caller.organization), tokens=[token])
    return None if first is None else await tx.get(Referral, first)


Rows = list[tuple[Piece, Enclosure, bool]]


def _new_referral(ctx: Context, submission: Submission, candidate: Patient) -> Referral:
    data = submission.request.data
    site = ctx.clinic.sites[0].id
    return Referral(
        patient_id=candidate.id,
        requester=str(ctx.caller.organization),
        sender=ctx.caller.client,
        identifiers=list(submission.request.identifiers),
        intent=data["intent"],
        priority=data.get("priority"),
        authored_on=fhir.moment_of(data.get("authoredOn")),
        sent_at=ctx.at,
        due_on=local_day(ctx, ctx.at, site=site) + timedelta(days=ctx.clinic.promise.days),
        site=site,
        turn=Turn.CLINIC,
        reason="Received.",
    )


async def _sent_before(tx: Transaction, submission: Submission, *, first: Referral | None) -> Receipt:
    if first is None:
        raise LookupError("a sender's identifier names no referral")
    patient = await tx.get(Patient, first.patient_id)
    if patient is not None and not is_about(submission, patient):
        text = "this identifier was sent before, for another patient"
        raise AnotherPatient(text, expression="ServiceRequest.identifier")
    return Receipt(referral=first, new=False)


async def _rows(tx: Transaction, submission: Submission, referral: Referral, *, bold: bool) -> Rows:
    """Give each piece its row: what an `ifNoneExist` names, found in the directory or among those before it,
    else a new one, which enters the directory.
    """
    asked = [(piece.type, piece.if_none_exist) for piece in submission.enclosures if piece.if_none_exist]
    placed = await queries.in_directory(tx, referral.requester, asked, bold=bold)
    known = {name: _placed(name[0], one, referral) for name, one in placed.items()}
    rows: Rows = []
    for piece in submission.enclosures:
        condition = piece.if_none_exist
        if condition is not None and (found := known.get((piece.type, condition))) is not None:
            rows.append((piece, found, False))
            continue
        row = _row(piece, referral)
        entered = queries.enter(tx, row, claimed=() if condition is None else (condition,))
        rows.append((piece, row, True))
        known = dict.fromkeys(entered, row) | known
    return rows


def _placed(resource_type: str, placed: queries.Placed, referral: Referral) -> Enclosure:
    """Stand for a row that is not read: it is only named."""
    return Enclosure(
        id=placed.id,
        version=placed.version,
        type=resource_type,
        referral_id=referral.id,
        patient_id=referral.patient_id,
        requester=referral.requester,
    )


def _row(piece: Piece, referral: Referral) -> Enclosure:
    status = piece.data.get("status")
    return Enclosure(
        type=piece.type,
        referral_id=referral.id,
        patient_id=referral.patient_id,
        requester=referral.requester,
        identifiers=list(piece.identifiers),
        status=status if isinstance(status, str) else None,
    )


async def _store(
    ctx: Context, tx: Transaction, submission: Submission, referral: Referral, rows: Rows
) -> None:
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
    await store.put(tx, referral, references.replaced(request.raw, links), at=ctx.at, overlay=overlay)
    for piece, row, new in rows:
        if new:
            body = references.replaced(piece.raw, links if piece.index is None else outside)
            await store.put(tx, row, body, at=ctx.at)


def _left_contained(submission: Submission) -> list[object] | None:
    stated = submission.request.data.get("contained", [])
    left = [one for one in stated if one.get("resourceType") not in fhir.ACCEPTED_TYPES]
    return left or None


def _answer(
    submission: Submission,
    referral: Referral,
    rows: Rows,
    patient: Patient,
    *,
    new: bool,
    at: datetime,
) -> list[dict[str, object]]:
    placed = {submission.request.index: fhir.created("ServiceRequest", referral, at=at)}
    if submission.patient is not None and submission.patient.index is not None:
        placed[submission.patient.index] = fhir.created("Patient", patient, at=at, new=new)
    for piece, row, made in rows:
        if piece.index is not None:
            placed[piece.index] = fhir.created(piece.type, row, at=at, new=made)
    if submission.request.index is None:
        return [placed[None]]
    return [placed[index] for index in range(submission.entries) if index in placed]


async def _first_task(ctx: Context, tx: Transaction, referral: Referral) -> Task:
    task = Task(
        referral_id=referral.id,
        patient_id=referral.patient_id,
        code=TaskCode.PROCESS_REQUEST,
        status=TASK_STATUS[State.AWAITING_TRIAGE],
        owner=ctx.clinic.id,
        identifiers=[*referral.identifiers],
        authored_on=ctx.at,
    )
    await store.put(tx, task, fhir.process_task(referral, clinic=ctx.clinic), at=ctx.at)
    return task


def would_be(ctx: Context, submission: Submission) -> tuple[Gathered, str]:
    """Gather a submission that is not stored, and the site whose date counts, for the dry run."""
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
    gathered = Gathered(
        patient=patient,
        request=submission.request.data,
        enclosures=[(_row(piece, blank), piece.data) for piece in submission.enclosures],
        known={link: piece.data for piece in submission.enclosures for link in piece.links},
    )
    return gathered, blank.site
