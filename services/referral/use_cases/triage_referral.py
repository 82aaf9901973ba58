"""Triage a referral by the rules, and do what the verdict says."""

from dataclasses import dataclass
from datetime import timedelta

from services.referral import fhir, queries, rules
from services.referral.models import Facts, Finding, Outcome, Patient, Referral, Verdict
from services.referral.states import UNDECIDED, State, Turn
from services.referral.use_cases.emergency import redirect
from services.referral.use_cases.gathering import Gathered, facts_of, local_day
from services.referral.use_cases.recording import (
    announce,
    finish_tasks,
    keep_enclosure,
    keep_task,
    move,
    open_work_task,
    the_clinic,
)
from services.referral.use_cases.request_authorization import request_authorization
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog import referral as events
from shared.fhir.codes import TaskCode


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What was read of a referral, and the verdict on it."""

    facts: Facts
    verdict: Verdict


def judge(ctx: Context, referral: Referral, gathered: Gathered) -> Judged:
    """Give the verdict, and put the referral where its programme is: its events name that site."""
    on = local_day(ctx, ctx.at, site=referral.site)
    facts = facts_of(ctx, gathered, on=on)
    verdict = rules.triage(facts, on=on, clinic=ctx.clinic)
    if verdict.programme is not None:
        referral.site = ctx.clinic.programme(verdict.programme).site
        on = local_day(ctx, referral.sent_at, site=referral.site)
        referral.due_on = on + timedelta(days=ctx.clinic.promise.days)
    return Judged(facts=facts, verdict=verdict)


async def triage_referral(
    ctx: Context,
    tx: Transaction,
    referral: Referral,
    gathered: Gathered,
    *,
    judged: Judged | None = None,
    person: Finding | None = None,
) -> Verdict:
    """Give the verdict (or take the one `judged` just now), record it with its rules, and do what it says.

    With `person`, which says why, everything but an emergency goes to a person; so does an emergency whose
    flags the referrer has acknowledged before.
    """
    judged = judged or judge(ctx, referral, gathered)
    verdict = judged.verdict
    told_before = [fired["rule"] for fired in referral.rules]
    _note(referral, judged)
    await _record(ctx, tx, referral, verdict)
    await _put_away(ctx, tx, referral)
    emergency = verdict.outcome is Outcome.EMERGENCY
    if emergency and not rules.is_known_emergency(verdict.findings, told_before=told_before):
        await redirect(ctx, tx, referral, verdict=verdict)
    elif emergency or person is not None:
        findings = verdict.findings if person is None else (person, *verdict.findings)
        await _review(ctx, tx, referral, findings=findings, same_day=True)
    elif referral.doubt is not None:
        finding = Finding(rule="identity-in-doubt", text=referral.doubt, elements=("Patient.identifier",))
        await _review(ctx, tx, referral, findings=(finding,), same_day=verdict.same_day)
    elif verdict.outcome is Outcome.REVIEW:
        await _review(ctx, tx, referral, findings=verdict.findings, same_day=verdict.same_day)
    elif verdict.outcome is Outcome.DECLINE:
        await _decline(ctx, tx, referral, verdict)
    elif await _suspect_duplicate(ctx, tx, referral):
        pass
    elif verdict.outcome is Outcome.ASK:
        await _ask(ctx, tx, referral, verdict)
    else:
        await accept(ctx, tx, referral, gathered, verdict=verdict)
    return verdict


async def accept(
    ctx: Context, tx: Transaction, referral: Referral, gathered: Gathered, *, verdict: Verdict
) -> None:
    """Accept the referral, and ask the insurer where its rule wants that and the Consent is there."""
    referral.asked = [one.code for one in verdict.asked_after]
    referral.complete_at = referral.complete_at or ctx.at
    asked = "; ".join(one.text for one in verdict.asked_after)
    reason = verdict.reason + (f" Still needed from the referrer: {asked}." if asked else "")
    turn = Turn.REFERRER if asked else Turn.CLINIC
    await move(ctx, tx, referral, State.ACCEPTED, reason=reason, turn=turn, name="accepting")
    task = await keep_task(ctx, tx, referral)
    patient = await tx.get(Patient, referral.patient_id)
    carried = [] if patient is None else [patient.body]
    announce(ctx, tx, events.ReferralTriaged, referral, task)
    announce(ctx, tx, events.ReferralAccepted, referral, task, *carried)
    if asked:
        announce(ctx, tx, events.ReferralInformationRequested, referral, task)
    else:
        await request_authorization(ctx, tx, referral, gathered)


def _note(referral: Referral, judged: Judged) -> None:
    facts, verdict = judged.facts, judged.verdict
    referral.stream, referral.payer = verdict.stream, verdict.payer
    referral.programme = verdict.programme
    referral.rules = [
        {"rule": finding.rule, "text": finding.text, "elements": list(finding.elements)}
        for finding in verdict.findings
    ]
    referral.unavailable = [[start.isoformat(), end.isoformat()] for start, end in facts.unavailable]


async def _record(ctx: Context, tx: Transaction, referral: Referral, verdict: Verdict) -> None:
    text = f"{verdict.outcome}: {verdict.reason}"
    body = fhir.decision_provenance(ctx, referral, findings=verdict.findings, text=text)
    await keep_enclosure(ctx, tx, referral, body)


async def _put_away(ctx: Context, tx: Transaction, referral: Referral) -> None:
    """End the review and merge Tasks of an earlier verdict; the new one asks again where it must."""
    if State(referral.state) in UNDECIDED:
        tasks = await queries.open_work(tx, referral.id)
        await finish_tasks(ctx, tx, tasks, status="cancelled", reason="It was triaged again.")


async def _review(
    ctx: Context, tx: Transaction, referral: Referral, *, findings: tuple[Finding, ...], same_day: bool
) -> None:
    reason = " ".join(finding.text for finding in findings)
    await move(ctx, tx, referral, State.AWAITING_REVIEW, reason=reason, turn=Turn.CLINIC, name="reviewing")
    work = await open_work_task(
        ctx,
        tx,
        referral,
        code=TaskCode.REVIEW_REFERRAL,
        owner=the_clinic(ctx),
        reason=f"Today: {reason}" if same_day else reason,
        due=ctx.at + timedelta(hours=8) if same_day else None,
    )
    task = await keep_task(ctx, tx, referral)
    announce(ctx, tx, events.ReferralTriaged, referral, task)
    announce(ctx, tx, events.ReferralReviewNeeded, referral, task, work.body)


async def _decline(ctx: Context, tx: Transaction, referral: Referral, verdict: Verdict) -> None:
    read = ", ".join(dict.fromkeys(one for found in verdict.findings for one in found.elements))
    first = verdict.findings[0]
    reason = f"{verdict.reason} (rule {first.rule}; read: {read})"
    await move(ctx, tx, referral, State.DECLINED, reason=reason, turn=Turn.NOBODY, name="declining")
    task = await keep_task(ctx, tx, referral)
    announce(ctx, tx, events.ReferralTriaged, referral, task)
    announce(ctx, tx, events.ReferralDeclined, referral, task)


async def _ask(ctx: Context, tx: Transaction, referral: Referral, verdict: Verdict) -> None:
    referral.asked = [one.code for one in verdict.missing]
    await move(
        ctx,
        tx,
        referral,
        State.INFORMATION_REQUESTED,
        reason=verdict.reason,
        turn=Turn.REFERRER,
        name="asking",
    )
    task = await keep_task(ctx, tx, referral)
    announce(ctx, tx, events.ReferralTriaged, referral, task)
    announce(ctx, tx, events.ReferralInformationRequested, referral, task)


async def _suspect_duplicate(ctx: Context, tx: Transaction, referral: Referral) -> bool:
    first = await _find_open_one(ctx, tx, referral)
    if first is None:
        return False
    referral.suspected_of = first.id
    reason = "The patient has an open referral for the same programme; a coordinator compares the two."
    await move(ctx, tx, referral, State.DUPLICATE_SUSPECTED, reason=reason, turn=Turn.CLINIC, name="holding")
    work = await open_work_task(
        ctx,
        tx,
        referral,
        code=TaskCode.MERGE_DUPLICATE,
        owner=the_clinic(ctx),
        reason=reason,
        first=first.id,
    )
    task = await keep_task(ctx, tx, referral)
    announce(ctx, tx, events.ReferralTriaged, referral, task)
    announce(ctx, tx, events.ReferralDuplicateSuspected, referral, task, work.body)
    return True


async def _find_open_one(ctx: Context, tx: Transaction, referral: Referral) -> Referral | None:
    """Find the open referral of the same patient and programme inside the window, the oldest first."""
    await queries.lock_patient(tx, referral.patient_id)
    since = referral.sent_at - timedelta(days=ctx.clinic.duplicate_window_days)
    for other in await queries.open_referrals(tx, referral.patient_id, since=since, but=referral.id):
        if None in (other.programme, referral.programme) or other.programme == referral.programme:
            return other
    return None
