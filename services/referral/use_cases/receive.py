"""The one command behind the three doors: store what came, once, and triage it."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from services.referral import fhir, queries, rules
from services.referral.models.rows import Patient, Referral, SenderIdentifier, Task
from services.referral.models.submission import Receipt, Submission
from services.referral.queries.intake import Recognised
from services.referral.states import TASK_STATUS, State, Turn
from services.referral.use_cases import (
    about_patient,
    attach,
    complete_patient,
    describe_patient,
    find_duplicates,
    match_patient,
    patient_events,
    placing,
    record,
    sent_again,
    triage,
)
from services.referral.use_cases.changes import Changes
from services.referral.use_cases.match_patient import PatientMatch
from services.referral.use_cases.placing import Rows
from services.referral.use_cases.referral_file import ReferralFile, enclosure_of
from services.referral.use_cases.triage import TriageResult
from shared.context import Context
from shared.db import Transaction
from shared.errors import Conflict
from shared.events.catalog import referral as events
from shared.fhir import store
from shared.fhir.codes import TaskCode
from shared.reasons import Reason


class AnotherSites(Conflict):
    """A coordinator enters what another site cares for already."""


async def run(ctx: Context, tx: Transaction, submission: Submission, *, again: UUID | None = None) -> Receipt:
    """Store and triage a referral; what the sender has sent before gets the first answer, or is corrected.

    `again` is the referral that it is about, where the sender has named it otherwise than by an identifier.
    Raises UnknownPatient, SeveralPatients, AnotherPatient, IsOver, SeveralFound, AnothersResource,
    AnotherPatientsAttachment, CannotAttach, AnotherSites, SendersOwn and AnotherArrival.
    """
    requester = submission.requester
    condition = submission.request.if_none_exist
    other = condition is not None and condition not in submission.request.identifiers
    if other and (found := await already_sent(ctx, tx, str(condition), requester=requester)) is not None:
        answer = placing.exists_already(submission, found, at=ctx.at)
        return Receipt(referral=found, outcome="same", answer=answer)
    known = await queries.intake.recognise(tx, submission, requester=requester)
    if (before := again or known.sent_before) is not None:
        await _check_site(ctx, tx, await queries.referrals.by_id(tx, before))
        return await sent_again.run(ctx, tx, submission, known=known, referral_id=before)
    match = await _match(ctx, tx, submission, known=known)
    return await _first(ctx, tx, submission, known=known, match=match)


async def _match(ctx: Context, tx: Transaction, submission: Submission, *, known: Recognised) -> PatientMatch:
    """Find or make the patient, whose record is locked, and hold to it what came along."""
    if submission.patient is not None:
        records = [patient.replaced_by or patient.id for patient in known.patients]
        await complete_patient.lock_first(tx, [submission.patient], records=records)
    match = await match_patient.run(ctx, tx, submission, known=known)
    await about_patient.check(ctx, tx, submission, match.patient, requester=submission.requester)
    return match


async def _first(
    ctx: Context, tx: Transaction, submission: Submission, *, known: Recognised, match: PatientMatch
) -> Receipt:
    """Store and triage what the sender sends for the first time."""
    referral = _new_referral(ctx, submission, match)
    rows, binaries = placing.rows(submission, referral, known=known), attach.inline(ctx, submission)
    named = placing.links(submission, referral, rows, known=known, binaries=binaries)
    attach.fill(ctx, binaries)
    _fill(ctx, submission, referral, rows, named=named)
    await placing.put(ctx, tx, rows, named=named)
    changes = Changes(ctx, _file(ctx, submission, referral, match, rows))
    result = triage.judge(ctx, changes.file)
    not_kept = placing.left_out(submission, named)
    referral.answer = placing.answer(
        submission,
        referral,
        rows,
        binaries=binaries,
        patient=match.patient,
        described=match.described,
        task_id=changes.process_task.id,
        not_kept=not_kept,
        at=ctx.at,
    )
    others = () if match.new else await find_duplicates.run(ctx, tx, referral)
    _decide(ctx, changes, result, match=match, open_referrals=others)
    sent, names = [row for _, row, new in rows if new], _names(submission, referral)
    await record.new(ctx, tx, changes, patient=match_patient.new_rows(match), came_with=[*sent, *names])
    await queries.intake.enter(tx, sent)
    await attach.run(ctx, tx, referral, placing.namings(rows), binaries=binaries)
    await _tell_of_patient(ctx, tx, submission, match, referral=referral)
    return Receipt(referral=referral, outcome="new", answer=referral.answer, left_out=not_kept)


def _decide(
    ctx: Context,
    changes: Changes,
    result: TriageResult,
    *,
    match: PatientMatch,
    open_referrals: Sequence[Referral],
) -> None:
    """Announce what came, follow the verdict, and leave what is open about the patient to a person."""
    changes.announce(events.ReferralReceived, match.patient)
    if changes.referral.came_by is not None:
        changes.enclose(fhir.provenance.entry_provenance(ctx, changes.referral))
        changes.announce(events.ReferralEntered)
    triage.decide(ctx, changes, result, open_referrals=open_referrals)
    describe_patient.offer(ctx, changes, match.described)
    describe_patient.doubt(ctx, changes, resembles=match.resembles)


def _names(submission: Submission, referral: Referral) -> list[SenderIdentifier]:
    """Give the referral the names under which its sender finds it again."""
    return [
        SenderIdentifier(requester=submission.requester, token=token, referral_id=referral.id)
        for token in dict.fromkeys(submission.request.identifiers)
    ]


async def _tell_of_patient(
    ctx: Context, tx: Transaction, submission: Submission, match: PatientMatch, *, referral: Referral
) -> None:
    """Tell every service of a new patient who has died, and of a known one what this sending says newly."""
    if match.new and match.patient.deceased:
        await patient_events.publish_change(ctx, tx, match.patient)
    elif not match.new and submission.patient is not None:
        await complete_patient.run(
            ctx, tx, match.patient, submission.patient, referral=referral, described=match.described
        )


async def already_sent(ctx: Context, tx: Transaction, token: str, *, requester: str) -> Referral | None:
    """Find a sender's referral with this identifier (`system|value`); nobody sends it at the same time.

    Raises AnotherSites.
    """
    await queries.intake.lock_sender_identifier(tx, requester, token)
    first = await queries.referrals.sent_before(tx, requester, tokens=[token])
    found = None if first is None else await queries.referrals.by_id(tx, first)
    await _check_site(ctx, tx, found)
    return found


async def _check_site(ctx: Context, tx: Transaction, found: Referral | None) -> None:
    """Keep what another site cares for from a coordinator; a sender's referral is the sender's everywhere."""
    if found is None or ctx.caller.party != "coordinator":
        return
    if await queries.referrals.visible_to(tx, ctx.caller, found.id) is None:
        text = "another site cares for this sender's referral with this identifier: its coordinator enters it"
        raise AnotherSites(text, expression="ServiceRequest.identifier")


def unsaved_referral(ctx: Context, submission: Submission) -> ReferralFile:
    """Make the file of a submission that is not stored, for the dry run."""
    patient = {} if submission.patient is None else submission.patient.data
    blank = Referral(
        patient_id=Patient().id,
        requester="",
        self_referred=submission.entry is not None and submission.entry.is_self_referral,
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
    data, entry = submission.request.data, submission.entry
    site = ctx.clinic.sites[0]
    sent_at = ctx.at if entry is None or entry.arrived_at is None else entry.arrived_at
    return Referral(
        patient_id=match.patient.id,
        requester=submission.requester,
        sender=ctx.caller.client,
        identifiers=list(submission.request.identifiers),
        intent=data["intent"],
        authored_on=fhir.reading.moment_of(data.get("authoredOn")),
        sent_at=sent_at,
        due_on=rules.due_date.counted(rules.priority.ROUTINE, since=sent_at, site=site, clinic=ctx.clinic),
        site=site.id,
        turn=Turn.CLINIC,
        came_by=None if entry is None else entry.way,
        self_referred=entry is not None and entry.is_self_referral,
        reason=[Reason.of("received")],
        content=fhir.content.digest(submission),
    )


def _fill(
    ctx: Context, submission: Submission, referral: Referral, rows: Rows, *, named: Mapping[str, str]
) -> None:
    """Give the referral and what came with it their bytes, in which each refers to our ids."""
    body, overlay = placing.request_body(submission, referral, named)
    store.fill(referral, body, at=ctx.at, overlay=overlay)
    for piece, row, new in rows:
        if new:
            store.fill(row, placing.body_of(piece, named), at=ctx.at)


def _file(
    ctx: Context, submission: Submission, referral: Referral, match: PatientMatch, rows: Rows
) -> ReferralFile:
    task = Task(
        referral_id=referral.id,
        patient_id=referral.patient_id,
        code=TaskCode.PROCESS_REQUEST,
        status=TASK_STATUS[State.AWAITING_TRIAGE],
        owner=ctx.clinic.id,
        authored_on=ctx.at,
    )
    return ReferralFile(
        referral=referral,
        before=None,
        patient=match.patient,
        patient_data=match.patient_data,
        died_elsewhere=match.died_elsewhere,
        request=submission.request.data,
        sent_task={} if submission.task is None else submission.task.data,
        enclosures=[(row, piece.data) for piece, row, _ in rows],
        known={link: piece.data for piece, _, _ in rows for link in piece.links},
        process_task=task,
        moved=True,
    )
