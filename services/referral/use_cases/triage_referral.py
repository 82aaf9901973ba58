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
from shared.act import Act
from shared.clinic import Clinic
from shared.db import Transaction
from shared.events.catalog import referral as events
from shared.fhir.codes import TaskCode


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What was read of a referral, and the verdict on it."""

    facts: Facts
    verdict: Verdict


def judge(referral: Referral, gathered: Gathered, *, act: Act, clinic: Clinic) -> Judged:
    """Give the verdict, and put the referral where its programme is: its events name that site."""
    on = local_day(act.at, site=referral.site, clinic=clinic)
    facts = facts_of(gathered, on=on, clinic=clinic)
    verdict = rules.triage(facts, on=on, clinic=clinic)
    if verdict.programme is not None:
        referral.site = clinic.programme(verdict.programme).site
        on = local_day(referral.sent_at, site=referral.site, clinic=clinic)
        referral.due_on = on + timedelta(days=clinic.promise.days)
    return Judged(facts=facts, verdict=verdict)


async def triage_referral(
    tx: Transaction,
    referral: Referral,
    gathered: Gathered,
    *,
    act: Act,
    clinic: Clinic,
    judged: Judged | None = None,
    person: Finding | None = None,
) -> Verdict:
    """Give the verdict (or take the one `judged` just now), record it with its rules, and do what it says.

    With `person`, which says why, everything but an emergency goes to a person; so does an emergency whose
    flags the referrer has acknowledged before.
    """
    judged = judged or judge(referral, gathered, act=act, clinic=clinic)
    verdict = judged.verdict
    told_before = [fired["rule"] for fired in referral.rules]
    _note(referral, judged)
    await _record(tx, referral, verdict, act=act)
    await _put_away(tx, referral, act=act)
    emergency = verdict.outcome is Outcome.EMERGENCY
    if emergency and not rules.is_known_emergency(verdict.findings, told_before=told_before):
        await redirect(tx, referral, verdict=verdict, act=act, clinic=clinic)
    elif emergency or person is not None:
        findings = verdict.findings if person is None else (person, *verdict.findings)
        await _review(tx, referral, findings=findings, same_day=True, act=act, clinic=clinic)
    elif referral.doubt is not None:
        finding = Finding(rule="identity-in-doubt", text=referral.doubt, elements=("Patient.identifier",))
        await _review(tx, referral, findings=(finding,), same_day=verdict.same_day, act=act, clinic=clinic)
    elif verdict.outcome is Outcome.REVIEW:
        await _review(
            tx, referral, findings=verdict.findings, same_day=verdict.same_day, act=act, clinic=clinic
        )
    elif verdict.outcome is Outcome.DECLINE:
        await _decline(tx, referral, verdict, act=act, clinic=clinic)
    elif await _suspect_duplicate(tx, referral, act=act, clinic=clinic):
        pass
    elif verdict.outcome is Outcome.ASK:
        await _ask(tx, referral, verdict, act=act, clinic=clinic)
    else:
        await accept(tx, referral, gathered, verdict=verdict, act=act, clinic=clinic)
    return verdict


async def accept(
    tx: Transaction,
    referral: Referral,
    gathered: Gathered,
    *,
    verdict: Verdict,
    act: Act,
    clinic: Clinic,
) -> None:
    """Accept the referral, and ask the insurer where its rule wants that and the Consent is there."""
    referral.asked = [one.code for one in verdict.asked_after]
    referral.complete_at = referral.complete_at or act.at
    asked = "; ".join(one.text for one in verdict.asked_after)
    reason = verdict.reason + (f" Still needed from the referrer: {asked}." if asked else "")
    turn = Turn.REFERRER if asked else Turn.CLINIC
    await move(tx, referral, State.ACCEPTED, reason=reason, turn=turn, act=act, name="accepting")
    task = await keep_task(tx, referral, act=act, clinic=clinic)
    patient = await tx.get(Patient, referral.patient_id)
    carried = [] if patient is None else [patient.body]
    announce(tx, events.TRIAGED, referral, task, act=act)
    announce(tx, events.ACCEPTED, referral, task, *carried, act=act)
    if asked:
        announce(tx, events.INFORMATION_REQUESTED, referral, task, act=act)
    else:
        await request_authorization(tx, referral, gathered, act=act, clinic=clinic)


def _note(referral: Referral, judged: Judged) -> None:
    facts, verdict = judged.facts, judged.verdict
    referral.stream, referral.payer = verdict.stream, verdict.payer
    referral.programme = verdict.programme
    referral.rules = [
        {"rule": finding.rule, "text": finding.text, "elements": list(finding.elements)}
        for finding in verdict.findings
    ]
    referral.unavailable = [[start.isoformat(), end.isoformat()] for start, end in facts.unavailable]


async def _record(tx: Transaction, referral: Referral, verdict: Verdict, *, act: Act) -> None:
    text = f"{verdict.outcome}: {verdict.reason}"
    body = fhir.decision_provenance(referral, findings=verdict.findings, text=text, act=act)
    await keep_enclosure(tx, referral, body, act=act)


async def _put_away(tx: Transaction, referral: Referral, *, act: Act) -> None:
    """End the review and merge Tasks of an earlier verdict; the new one asks again where it must."""
    if State(referral.state) in UNDECIDED:
        tasks = await queries.open_work(tx, referral.id)
        await finish_tasks(tx, tasks, status="cancelled", reason="It was triaged again.", act=act)


async def _review(
    tx: Transaction,
    referral: Referral,
    *,
    findings: tuple[Finding, ...],
    same_day: bool,
    act: Act,
    clinic: Clinic,
) -> None:
    reason = " ".join(finding.text for finding in findings)
    await move(
        tx, referral, State.AWAITING_REVIEW, reason=reason, turn=Turn.CLINIC, act=act, name="reviewing"
    )
    work = await open_work_task(
        tx,
        referral,
        code=TaskCode.REVIEW_REFERRAL,
        owner=the_clinic(clinic),
        reason=f"Today: {reason}" if same_day else reason,
        act=act,
        due=act.at + timedelta(hours=8) if same_day else None,
    )
    task = await keep_task(tx, referral, act=act, clinic=clinic)
    announce(tx, events.TRIAGED, referral, task, act=act)
    announce(tx, events.REVIEW_NEEDED, referral, task, work.body, act=act)


async def _decline(
    tx: Transaction, referral: Referral, verdict: Verdict, *, act: Act, clinic: Clinic
) -> None:
    read = ", ".join(dict.fromkeys(one for found in verdict.findings for one in found.elements))
    first = verdict.findings[0]
    reason = f"{verdict.reason} (rule {first.rule}; read: {read})"
    await move(tx, referral, State.DECLINED, reason=reason, turn=Turn.NOBODY, act=act, name="declining")
    task = await keep_task(tx, referral, act=act, clinic=clinic)
    announce(tx, events.TRIAGED, referral, task, act=act)
    announce(tx, events.DECLINED, referral, task, act=act)


async def _ask(tx: Transaction, referral: Referral, verdict: Verdict, *, act: Act, clinic: Clinic) -> None:
    referral.asked = [one.code for one in verdict.missing]
    await move(
        tx,
        referral,
        State.INFORMATION_REQUESTED,
        reason=verdict.reason,
        turn=Turn.REFERRER,
        act=act,
        name="asking",
    )
    task = await keep_task(tx, referral, act=act, clinic=clinic)
    announce(tx, events.TRIAGED, referral, task, act=act)
    announce(tx, events.INFORMATION_REQUESTED, referral, task, act=act)


async def _suspect_duplicate(tx: Transaction, referral: Referral, *, act: Act, clinic: Clinic) -> bool:
    first = await _find_open_one(tx, referral, clinic=clinic)
    if first is None:
        return False
    referral.suspected_of = first.id
    reason = "The patient has an open referral for the same programme; a coordinator compares the two."
    await move(
        tx, referral, State.DUPLICATE_SUSPECTED, reason=reason, turn=Turn.CLINIC, act=act, name="holding"
    )
    work = await open_work_task(
        tx,
        referral,
        code=TaskCode.MERGE_DUPLICATE,
        owner=the_clinic(clinic),
        reason=reason,
        act=act,
        first=first.id,
    )
    task = await keep_task(tx, referral, act=act, clinic=clinic)
    announce(tx, events.TRIAGED, referral, task, act=act)
    announce(tx, events.DUPLICATE_SUSPECTED, referral, task, work.body, act=act)
    return True


async def _find_open_one(tx: Transaction, referral: Referral, *, clinic: Clinic) -> Referral | None:
    """Find the open referral of the same patient and programme inside the window, the oldest first."""
    await queries.lock_patient(tx, referral.patient_id)
    since = referral.sent_at - timedelta(days=clinic.duplicate_window_days)
    for other in await queries.open_referrals(tx, referral.patient_id, since=since, but=referral.id):
        if None in (other.programme, referral.programme) or other.programme == referral.programme:
            return other
    return None
