"""What a referral says newly is triaged again, as far as its state lets anything follow from it."""

from collections.abc import Sequence
from datetime import timedelta

from services.referral import rules
from services.referral.models.facts import Finding, Outcome, Verdict
from services.referral.states import REOPENED_BY_AN_ANSWER, UNDECIDED, UNDER_CARE, State, Turn
from services.referral.use_cases import (
    find_duplicates,
    redirect,
    request_authorization,
    set_priority,
    triage,
)
from services.referral.use_cases.changes import Changes, the_clinic
from services.referral.use_cases.referral_file import local_day
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog import DomainEvent
from shared.events.catalog import referral as events
from shared.fhir.codes import TaskCode
from shared.reasons import Reason

_FLAGS = ("emergency-", "urgent-", "unknown-")
# Care goes on, or goes on in the referral into which this one was merged.
_GOES_ON = UNDER_CARE | {State.MERGED}


async def run(ctx: Context, tx: Transaction, changes: Changes, *, because: type[DomainEvent]) -> None:
    """Tell what came, reopen what waits for nobody, and triage again; `because` is the event that tells it.

    Where the clinic has said yes, or all has ended, only what must be seen by somebody follows.
    """
    referral = changes.referral
    person = rules.steps.answer_for_a_person(referral)
    if person is None and rules.urgent.waits_for_a_clinician(referral):
        person = triage.URGENT_UNTIL_NOW
    if State(referral.state) in REOPENED_BY_AN_ANSWER:
        changes.move(State.AWAITING_REVIEW, reason=[Reason.of("referrer-answered")], turn=Turn.CLINIC)
    changes.announce(because)
    if State(referral.state) in UNDECIDED:
        result = triage.judge(ctx, changes.file)
        others = await find_duplicates.run(ctx, tx, referral)
        triage.decide(ctx, changes, result, open_referrals=others, person=person)
    else:
        _late(ctx, changes)


def _late(ctx: Context, changes: Changes) -> None:
    """Act on what comes after a verdict that stands: an emergency, what a person must see, and the Consent
    that lets the insurer be asked. Who may be referred is judged by the day on which it was sent.
    """
    file, referral = changes.file, changes.referral
    sent_on = local_day(referral.sent_at, site=referral.site, clinic=ctx.clinic)
    verdict = rules.triage.triage(file.facts(ctx), on=sent_on, clinic=ctx.clinic)
    if State(referral.state) in UNDER_CARE:
        priority = rules.priority.of(referral, asked=file.request.get("priority"), verdict=verdict)
        if priority != referral.priority:
            set_priority.change(changes, priority=priority)
    told_before = [fired.rule for fired in referral.rules]
    now = {finding.rule for finding in verdict.findings}
    # A flag that was taken back is told again when it comes again.
    referral.rules = [
        fired for fired in referral.rules if fired.rule in now or not fired.rule.startswith(_FLAGS)
    ]
    found = (triage.DOUBT, *verdict.findings) if referral.doubt else verdict.findings
    fresh = [finding for finding in found if finding.rule not in told_before]
    if verdict.outcome is Outcome.EMERGENCY:
        if not rules.steps.is_known_emergency(verdict.findings, told_before=told_before):
            referral.rules = [*referral.rules, *fresh]
            redirect.decide(ctx, changes, verdict=verdict)
            if State(referral.state) in UNDER_CARE:
                let_a_person_look(ctx, changes, [Reason.of("emergency-in-care"), *verdict.reasons])
    elif referral.state == State.EMERGENCY_REDIRECTED:
        let_a_person_look(ctx, changes, [Reason.of("emergency-corrected")])
    elif State(referral.state) in _GOES_ON and fresh and _is_for_a_person(verdict, fresh):
        referral.rules = [*referral.rules, *fresh]
        let_a_person_look(ctx, changes, [reason for finding in fresh for reason in finding.reasons])
    if State(referral.state) in UNDER_CARE and referral.payer in file.facts(ctx).consents:
        referral.asked = [code for code in referral.asked if code != "consent"]
        request_authorization.decide(ctx, changes)
    if referral.turn == Turn.REFERRER and not (referral.unacknowledged or referral.asked):
        referral.turn = Turn.CLINIC


def _is_for_a_person(verdict: Verdict, fresh: Sequence[Finding]) -> bool:
    return triage.DOUBT in fresh or verdict.outcome in (Outcome.REVIEW, Outcome.DECLINE)


def let_a_person_look(ctx: Context, changes: Changes, reasons: list[Reason]) -> None:
    """Ask the coordinator to look today at a referral whose care goes on."""
    work = changes.open_work(
        TaskCode.REVIEW_REFERRAL,
        owner=the_clinic(ctx),
        reason=[Reason.of("look-today"), *reasons],
        due=ctx.at + timedelta(hours=8),
    )
    changes.announce(events.ReferralReviewNeeded, work)
