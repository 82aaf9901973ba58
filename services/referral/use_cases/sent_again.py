"""The same sender sends the same referral again: with the same content it gets the first answer; with other
content it has corrected the referral, which is stored as a new version and triaged again.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from services.referral import fhir, queries, rules
from services.referral.models.facts import Outcome
from services.referral.models.rows import Enclosure, Patient, Referral
from services.referral.models.submission import Receipt, Submission
from services.referral.queries.intake import Recognised
from services.referral.states import TERMINAL, UNDER_CARE, State
from services.referral.use_cases import (
    about_patient,
    attach,
    complete_patient,
    entered_again,
    follow_consent,
    match_patient,
    placing,
    reconsider,
    record,
    referral_file,
)
from services.referral.use_cases.changes import Changes
from services.referral.use_cases.describe_patient import Description
from services.referral.use_cases.placing import Rows
from services.referral.use_cases.referral_file import ReferralFile, Resource, decoded
from shared.context import Context
from shared.db import Transaction
from shared.errors import Conflict
from shared.events.catalog import referral as events
from shared.fhir import store
from shared.reasons import Reason


class AnotherPatient(Conflict):
    """The sender's identifier stands on a referral of somebody else."""


# What a referral was accepted, booked and funded by.
_DECIDED_ON = frozenset({"programme", "payer", "unavailable"})


class IsOver(Conflict):
    """The referral has ended: of what comes then, only an emergency is taken."""


async def run(
    ctx: Context, tx: Transaction, submission: Submission, *, known: Recognised, referral_id: UUID
) -> Receipt:
    """Give the first answer again, or correct the referral; raises SendersOwn, AnotherArrival, AnotherPatient
    and IsOver.
    """
    referral, patient = await _of(tx, referral_id)
    content = fhir.content.digest(submission)
    if referral.content == content:
        await _name(tx, submission, referral)
        answer = await _again(ctx, tx, submission, referral, known=known)
        return Receipt(referral=referral, outcome="same", answer=answer, left_out=submission.left_out)
    entered_again.check(ctx, submission, referral)
    if not await match_patient.is_about(tx, submission, referral, patient):
        reason = Reason.of("sent-for-another")
        rules.steps.check(reason, refusal=AnotherPatient, of="ServiceRequest.identifier")
    await _name(tx, submission, referral)
    if submission.patient is not None:
        await complete_patient.lock_first(
            tx, [submission.patient], records=[patient.replaced_by or patient.id]
        )
    file = await referral_file.locked(tx, referral_id)
    if file is None:
        raise LookupError("a referral that was read is gone")
    return await _corrected(ctx, tx, submission, file=file, known=known, content=content)


async def _again(
    ctx: Context, tx: Transaction, submission: Submission, referral: Referral, *, known: Recognised
) -> list[dict[str, Any]]:
    """Return the first answer; of entries in another order or number, where each stands."""
    if fhir.answers.kinds_of(referral.answer) == placing.kinds_of(submission):
        return referral.answer
    first = {fhir.answers.place_of(response): response for response in referral.answer}
    before = await queries.enclosures.of_referral(tx, referral.id)
    rows = placing.rows(submission, referral, known=known, before=before)
    task = await queries.tasks.process_of(tx, referral.id)
    binaries = await _inline(ctx, tx, submission, referral)
    named = placing.links(submission, referral, rows, known=known, binaries=binaries)
    answer = placing.answer(
        submission,
        referral,
        rows,
        binaries=binaries,
        patient=Patient(id=referral.patient_id),
        described=Description(is_first=False),
        task_id=task.id,
        not_kept=placing.left_out(submission, named),
        at=ctx.at,
    )
    return [first.get(fhir.answers.place_of(response), response) for response in answer]


async def _name(tx: Transaction, submission: Submission, referral: Referral) -> None:
    """Take what is new among the identifiers as another name of the referral that was sent before."""
    tokens = submission.request.identifiers
    await queries.intake.name_referral(tx, referral.id, requester=referral.requester, tokens=tokens)


async def _of(tx: Transaction, referral_id: UUID) -> tuple[Referral, Patient]:
    referral = await queries.referrals.by_id(tx, referral_id)
    patient = None if referral is None else await queries.patients.by_id(tx, referral.patient_id)
    if referral is None or patient is None:
        raise LookupError("a sender's identifier names no referral")
    return referral, patient


async def _corrected(
    ctx: Context,
    tx: Transaction,
    submission: Submission,
    *,
    file: ReferralFile,
    known: Recognised,
    content: str,
) -> Receipt:
    if file.patient is not None:
        requester = file.referral.requester
        await about_patient.check(ctx, tx, submission, file.patient, requester=requester)
    referral, before, asked = file.referral, file.facts(ctx), file.request.get("priority")
    was_known = referral.content is not None
    rows = placing.rows(submission, referral, known=known, before=[row for row, _ in file.enclosures])
    binaries = await _inline(ctx, tx, submission, referral)
    changes = Changes(ctx, file)
    file.sent_task = {} if submission.task is None else submission.task.data
    named = placing.links(submission, referral, rows, known=known, binaries=binaries)
    written = await _write(ctx, tx, submission, file=file, rows=rows, named=named)
    await attach.run(ctx, tx, referral, placing.namings(rows), binaries=binaries)
    await placing.put(ctx, tx, rows, named=named)
    described = await _described_anew(ctx, tx, submission, changes)
    written += ["Patient"] if described.has_changed else []
    referral.content = content
    changed = [*rules.corrections.differences(before, file.facts(ctx)), *written]
    changed += ["priority"] if asked != file.request.get("priority") else []
    if was_known or changed:
        _check_is_open(ctx, file)
        await _reconsider(ctx, tx, changes, changed=list(dict.fromkeys(changed)))
    patient, not_kept = file.patient or Patient(), placing.left_out(submission, named)
    referral.answer = placing.answer(
        submission,
        referral,
        rows,
        binaries=binaries,
        patient=patient,
        described=described,
        task_id=changes.process_task.id,
        not_kept=not_kept,
        at=ctx.at,
    )
    await record.run(ctx, tx, changes)
    return Receipt(referral=referral, outcome="corrected", answer=referral.answer, left_out=not_kept)


def _check_is_open(ctx: Context, file: ReferralFile) -> None:
    """Refuse what comes after the end, except an emergency that nobody was told of."""
    referral = file.referral
    if State(referral.state) not in TERMINAL or referral.state == State.MERGED:
        return
    verdict = rules.triage.triage(file.facts(ctx), on=file.today(ctx), clinic=ctx.clinic)
    told_before = [fired.rule for fired in referral.rules]
    known = rules.steps.is_known_emergency(verdict.findings, told_before=told_before)
    if verdict.outcome is not Outcome.EMERGENCY or known:
        reason = Reason.of("referral-is-over", state=referral.state)
        rules.steps.check(reason, refusal=IsOver, of="ServiceRequest.identifier")


async def _reconsider(ctx: Context, tx: Transaction, changes: Changes, *, changed: list[str]) -> None:
    referral = changes.referral
    changed = changed or ["ServiceRequest"]
    told = Reason.of("corrected", changed=changed)
    changes.enclose(fhir.provenance.correction_provenance(ctx, referral, changed=changed))
    await reconsider.run(ctx, tx, changes, because=events.ReferralCorrected)
    if State(referral.state) in UNDER_CARE and _DECIDED_ON & set(changed):
        reconsider.let_a_person_look(ctx, changes, [told])
    follow_consent.decide(ctx, changes)
    kept = [reason for reason in referral.reason if reason.code != "corrected"]
    referral.reason = [told, *kept]


async def _inline(
    ctx: Context, tx: Transaction, submission: Submission, referral: Referral
) -> Sequence[attach.InlineBinary]:
    """Give the Binaries of a correction their rows: the same bytes are the Binary that is there."""
    if not submission.binaries:
        return ()
    before = await queries.attachments.of_referral(tx, referral)
    binaries = attach.inline(ctx, submission, before=before)
    attach.fill(ctx, binaries)
    return binaries


async def _write(
    ctx: Context,
    tx: Transaction,
    submission: Submission,
    *,
    file: ReferralFile,
    rows: Rows,
    named: dict[str, str],
) -> list[str]:
    """Store what differs as new versions and what is new beside it; name the types of what has no facts."""
    changed = await _write_rows(ctx, tx, rows, named=named, file=file)
    body, overlay = placing.request_body(submission, file.referral, named)
    overlay["identifier"] = _all_identifiers(file.request, submission.request.data)
    data = submission.request.data
    columns = {
        "intent": data["intent"],
        "authored_on": fhir.reading.moment_of(data.get("authoredOn")),
        "identifiers": list(dict.fromkeys([*file.referral.identifiers, *submission.request.identifiers])),
    }
    await store.update(tx, file.referral, body, at=ctx.at, overlay=overlay, **columns)
    file.before = file.referral.model_copy()
    file.request = decoded(file.referral.body)
    file.facts_of_day.clear()
    return changed


def _all_identifiers(before: Resource, sent: Resource) -> list[object] | None:
    """Keep what else the referral is called: a merge gave it the identifiers of its duplicate."""
    stated = sent.get("identifier", [])
    known = set(fhir.reading.tokens(stated))
    kept = [
        other
        for other in before.get("identifier", [])
        if other not in stated and not known & set(fhir.reading.tokens([other]))
    ]
    return [*stated, *kept] or None


async def _end_coverages(ctx: Context, tx: Transaction, rows: Rows, *, file: ReferralFile) -> None:
    """End each Coverage of the sender in whose place another one is sent: it no longer says who pays."""
    sent = {row.id for _, row, _ in rows if row.type == "Coverage"}
    for row, data in file.enclosures:
        if sent and row.type == "Coverage" and row.id not in sent and data.get("status") == "active":
            await store.update(
                tx, row, row.body, at=ctx.at, overlay={"status": "cancelled"}, status="cancelled"
            )


async def _described_anew(
    ctx: Context, tx: Transaction, submission: Submission, changes: Changes
) -> Description:
    """Take in how the sender describes the patient now; somebody else's name leaves it open who it is."""
    file, piece = changes.file, submission.patient
    if piece is None or file.patient is None:
        return Description(is_first=False)
    referral, person = file.referral, fhir.people.demographics(piece.data)
    before = fhir.people.demographics(file.patient_data)
    referral.doubt = rules.identity.is_in_doubt(
        person, before=before, known=file.patient, doubted=referral.doubt
    )
    return await complete_patient.describe_again(ctx, tx, changes, piece)


async def _write_rows(
    ctx: Context, tx: Transaction, rows: Rows, *, named: dict[str, str], file: ReferralFile
) -> list[str]:
    changed: list[str] = []
    new: list[Enclosure] = []
    ours = {row.id for row, _ in file.enclosures}
    for piece, row, is_new in rows:
        body = placing.body_of(piece, named)
        if is_new:
            store.fill(row, body, at=ctx.at)
            new.append(row)
        elif row.id in ours and row.body and not fhir.content.same(row.body, body):
            status = piece.data.get("status")
            await store.update(tx, row, body, at=ctx.at, identifiers=list(piece.identifiers), status=status)
        else:
            continue
        changed.append(piece.type)
    await tx.insert(*new)
    await queries.intake.enter(tx, new)
    await _end_coverages(ctx, tx, rows, file=file)
    file.enclosures = [(row, decoded(row.body)) for row, _ in file.enclosures]
    file.add(new)
    return [kind for kind in changed if kind not in fhir.facts.READ_TYPES]
