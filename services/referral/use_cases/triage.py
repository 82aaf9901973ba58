"""Triage a referral by the rules, and decide what the verdict asks for."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from services.referral import fhir, rules
from services.referral.models.facts import Facts, Finding, Outcome, Verdict
from services.referral.models.rows import Referral
from services.referral.states import UNDECIDED, State, Turn
from services.referral.use_cases import redirect, request_authorization, urgent_triage
from services.referral.use_cases.changes import Changes, the_clinic
from services.referral.use_cases.referral_file import ReferralFile
from shared.context import Context
from shared.events.catalog import referral as events
from shared.fhir.codes import TaskCode
from shared.reasons import Reason, Reference

# A clinician has not read yet what the sender now says otherwise.
URGENT_UNTIL_NOW = Finding(
    rule="urgent-until-now", reasons=(Reason.of("urgent-until-now"),), elements=("ServiceRequest",)
)
# Why is not the sender's to know.
CLINIC_LOOKS = Finding(
    rule="clinic-looks", reasons=(Reason.of("clinic-looks"),), elements=("ServiceRequest",)
)
# Who the patient is stands open.
DOUBT = Finding(
    rule="identity-in-doubt", reasons=(Reason.of("identity-in-doubt"),), elements=("Patient.identifier",)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TriageResult:
    """What was read of a referral, and the verdict on it."""

    facts: Facts
    verdict: Verdict


def judge(ctx: Context, file: ReferralFile) -> TriageResult:
    """Give the verdict, and put the referral where its programme is: its events name that site."""
    referral = file.referral
    facts = file.facts(ctx)
    verdict = rules.triage.triage(facts, on=file.today(ctx), clinic=ctx.clinic)
    if verdict.programme is not None:
        place(ctx, referral, programme=verdict.programme)
    return TriageResult(facts=facts, verdict=verdict)


def place(ctx: Context, referral: Referral, *, programme: str) -> None:
    """Put a referral where its programme is; by when it must be seen counts from that site's day.

    Of a priority that a person gave it counts from when it was given.
    """
    referral.site = ctx.clinic.programme(programme).site
    if not referral.priority_by_person:
        referral.due_on = rules.due_date.of_new(referral, clinic=ctx.clinic)


def decide(
    ctx: Context,
    changes: Changes,
    result: TriageResult,
    *,
    open_referrals: Sequence[Referral],
    person: Finding | None = None,
) -> None:
    """Record the verdict with its rules, and decide what it asks for.

    `open_referrals` are the patient's others of which this may be a duplicate. With `person`, which says why,
    everything but an emergency goes to a person; so does an emergency whose flags the referrer has
    acknowledged before.
    """
    referral, verdict = changes.referral, result.verdict
    told_before = [fired.rule for fired in referral.rules]
    findings = verdict.findings if person is None else (person, *verdict.findings)
    first = rules.identity.same_need(verdict.programme, open_referrals)
    is_quiet = person is None and not referral.doubt and verdict.outcome in (Outcome.ACCEPT, Outcome.ASK)
    if is_quiet and first is not None and first.requester != referral.requester:
        findings = (CLINIC_LOOKS,)
    _note(ctx, changes, result, findings=findings)
    emergency = verdict.outcome is Outcome.EMERGENCY
    if emergency and not rules.steps.is_known_emergency(verdict.findings, told_before=told_before):
        redirect.decide(ctx, changes, verdict=verdict)
    elif emergency or person is not None:
        # Nobody but a clinician lets what was an emergency or urgent go on.
        was_urgent = person is URGENT_UNTIL_NOW or rules.steps.is_after_an_emergency(person)
        urgent = verdict.urgent or emergency or was_urgent
        _review(ctx, changes, findings=findings, same_day=True, urgent=urgent)
    elif referral.doubt:
        # The sender is not told what is known of somebody else.
        told = [Reason.of("clinic-looks")]
        findings = (DOUBT, *verdict.findings) if verdict.urgent else (DOUBT,)
        _review(ctx, changes, findings=findings, same_day=verdict.same_day, urgent=verdict.urgent, told=told)
    elif verdict.outcome is Outcome.REVIEW:
        _review(ctx, changes, findings=verdict.findings, same_day=verdict.same_day, urgent=verdict.urgent)
    elif verdict.outcome is Outcome.DECLINE:
        _decline(changes, verdict)
    elif first is not None:
        _suspect_duplicate(ctx, changes, first=first)
    elif verdict.outcome is Outcome.ASK:
        _ask(changes, verdict)
    else:
        accept(ctx, changes, verdict=verdict)


def accept(ctx: Context, changes: Changes, *, verdict: Verdict) -> None:
    """Accept the referral, and ask the insurer where its rule wants that and the Consent is there."""
    referral = changes.referral
    referral.asked = [missing.code for missing in verdict.asked_after]
    referral.complete_at = referral.complete_at or ctx.at
    asked = bool(verdict.asked_after)
    payer = Reference(f"Organization/{verdict.payer}")
    needed = [Reason.of("consent-needed", payer=payer)] if asked else []
    turn = Turn.REFERRER if asked else Turn.CLINIC
    changes.move(State.ACCEPTED, reason=[*verdict.reasons, *needed], turn=turn)
    patient = changes.file.patient
    changes.announce(events.ReferralTriaged)
    changes.announce(events.ReferralAccepted, *(() if patient is None else (patient,)))
    if asked:
        changes.announce(events.ReferralInformationRequested)
    else:
        request_authorization.decide(ctx, changes)


def _note(ctx: Context, changes: Changes, result: TriageResult, *, findings: tuple[Finding, ...]) -> None:
    referral, verdict = changes.referral, result.verdict
    referral.stream, referral.payer = verdict.stream, verdict.payer
    referral.programme = verdict.programme
    if referral.missing_at_first is None:
        referral.missing_at_first = [missing.code for missing in (*verdict.missing, *verdict.asked_after)]
    referral.rules = [*findings]
    _prioritise(ctx, changes, verdict=verdict)
    referral.unavailable = [[start.isoformat(), end.isoformat()] for start, end in result.facts.unavailable]
    changes.enclose(
        fhir.provenance.decision_provenance(ctx, referral, verdict=replace(verdict, findings=findings))
    )
    if State(referral.state) in UNDECIDED:
        # The review and merge Tasks of an earlier verdict end; the new one asks again where it must.
        changes.finish_work(status="cancelled", reason=[Reason.of("triaged-again")])


def _prioritise(ctx: Context, changes: Changes, *, verdict: Verdict) -> None:
    """Give the referral its priority, and the day by which that has it seen."""
    referral, before = changes.referral, changes.referral.priority
    referral.priority = rules.priority.of(
        referral, asked=changes.file.request.get("priority"), verdict=verdict
    )
    if not referral.priority_by_person:
        referral.due_on = rules.due_date.of_new(referral, clinic=ctx.clinic)
    elif referral.priority != before:
        referral.due_on = rules.due_date.after_change(referral, before=before, at=ctx.at, clinic=ctx.clinic)


def _review(
    ctx: Context,
    changes: Changes,
    *,
    findings: tuple[Finding, ...],
    same_day: bool,
    urgent: bool = False,
    told: Sequence[Reason] = (),
) -> None:
    """Leave it to a person, who reads why; so does the sender, unless something else is to be `told`."""
    reason = [reason for finding in findings for reason in finding.reasons]
    waited = rules.urgent.waits_for_a_clinician(changes.referral)
    changes.move(State.AWAITING_REVIEW, reason=told or reason, turn=Turn.CLINIC)
    if urgent:
        urgent_triage.ask(ctx, changes, reason=[Reason.of("look-today"), *reason], again=waited)
        return
    changes.referral.reviewers = []
    work = changes.open_work(
        TaskCode.REVIEW_REFERRAL,
        owner=the_clinic(ctx),
        reason=[Reason.of("look-today"), *reason] if same_day else reason,
        due=ctx.at + timedelta(hours=8) if same_day else None,
    )
    changes.announce(events.ReferralTriaged)
    changes.announce(events.ReferralReviewNeeded, work)


def _decline(changes: Changes, verdict: Verdict) -> None:
    read = list(dict.fromkeys(path for finding in verdict.findings for path in finding.elements))
    by_rule = Reason.of("declined-by-rule", rule=verdict.findings[0].rule, read=read)
    changes.move(State.DECLINED, reason=[*verdict.reasons, by_rule], turn=Turn.NOBODY)
    changes.announce(events.ReferralTriaged)
    changes.announce(events.ReferralDeclined)


def _ask(changes: Changes, verdict: Verdict) -> None:
    changes.referral.asked = [missing.code for missing in verdict.missing]
    changes.move(State.INFORMATION_REQUESTED, reason=verdict.reasons, turn=Turn.REFERRER)
    changes.announce(events.ReferralTriaged)
    changes.announce(events.ReferralInformationRequested)


def _suspect_duplicate(ctx: Context, changes: Changes, *, first: Referral) -> None:
    changes.referral.suspected_of = first.id
    suspected = Reason.of("duplicate-suspected")
    # That another sender has referred the patient is not this sender's to learn.
    theirs = first.requester != changes.referral.requester
    to, told = (
        (State.AWAITING_REVIEW, Reason.of("clinic-looks"))
        if theirs
        else (State.DUPLICATE_SUSPECTED, suspected)
    )
    changes.move(to, reason=[told], turn=Turn.CLINIC)
    details = {"input": [fhir.task.duplicate_input(str(first.id))]}
    work = changes.open_work(
        TaskCode.MERGE_DUPLICATE, owner=the_clinic(ctx), reason=[suspected], details=details
    )
    changes.announce(events.ReferralTriaged)
    changes.announce(events.ReferralReviewNeeded if theirs else events.ReferralDuplicateSuspected, work)
