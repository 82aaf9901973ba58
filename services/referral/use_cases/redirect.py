"""An emergency is a hard stop: the referrer must acknowledge it, and a person telephones until then."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from services.referral import rules
from services.referral.models.facts import Verdict
from services.referral.models.rows import Referral
from services.referral.states import TERMINAL, UNDER_CARE, State, Turn, WaitingClock
from services.referral.use_cases import record, referral_file
from services.referral.use_cases.changes import Changes, the_clinic
from shared.context import Context
from shared.db import Transaction
from shared.errors import Conflict
from shared.events.catalog import referral as events
from shared.fhir.codes import TaskCode
from shared.reasons import Reason

ESCALATION = WaitingClock.ESCALATION


class NoEmergency(Conflict):
    """There is nothing to acknowledge."""


def decide(ctx: Context, changes: Changes, *, verdict: Verdict) -> None:
    """Send the patient to an emergency department and wait for the referrer's acknowledgement.

    A flag that comes after acceptance, or after the end, is told in the same way, while the referral itself
    stays where it is: ending the care is a person's decision.
    """
    referral = changes.referral
    referral.unacknowledged = True
    if State(referral.state) not in UNDER_CARE | TERMINAL:
        # What was an emergency is accepted by a clinician, if ever.
        referral.reviewers = rules.urgent.reviewers(referral, clinic=ctx.clinic)
    if rules.steps.no_step(referral.state, State.EMERGENCY_REDIRECTED, act="moving") is None:
        changes.move(State.EMERGENCY_REDIRECTED, reason=verdict.reasons, turn=Turn.REFERRER)
    referral.reason, referral.turn = verdict.reasons, Turn.REFERRER
    due = ctx.at + timedelta(minutes=ctx.clinic.emergency.acknowledge_within_minutes)
    work = changes.open_work(
        TaskCode.ACKNOWLEDGE_EMERGENCY,
        owner=f"Organization/{referral.requester}",
        reason=verdict.reasons,
        due=due,
    )
    changes.timers[ESCALATION] = due
    changes.announce(events.ReferralTriaged)
    changes.announce(events.ReferralRedirectedToEmergency, work)
    if referral.came_by is not None:
        _telephone(ctx, changes, reason=_unwatched(referral))


def _unwatched(referral: Referral) -> Reason:
    """Say why somebody telephones at once: who sent it does not look whether there is an answer."""
    if referral.self_referred:
        return Reason.of("tell-patient")
    return Reason.of("tell-by-telephone", way=referral.came_by)


def _telephone(ctx: Context, changes: Changes, *, reason: Reason) -> None:
    work = changes.open_work(
        TaskCode.TELEPHONE_REFERRER, owner=the_clinic(ctx), reason=[reason, *changes.referral.reason]
    )
    changes.announce(events.ReferralEmergencyEscalated, work)


async def acknowledge(
    ctx: Context, tx: Transaction, referral_id: str, *, said: Mapping[str, Any]
) -> Referral:
    """Take the referrer's acknowledgement; a second one changes nothing."""
    file = await referral_file.for_caller(ctx, tx, referral_id)
    rules.steps.check(rules.acts.may_acknowledge(ctx, file.referral), refusal=NoEmergency)
    if file.referral.unacknowledged:
        changes = Changes(ctx, file)
        end(changes, how=[Reason.of("referrer-acknowledged"), *referral_file.words_said(said)])
        return await record.run(ctx, tx, changes)
    return file.referral


def end(changes: Changes, *, how: Sequence[Reason]) -> None:
    """Note that the referrer knows, by the API or by telephone, and stop the escalation."""
    referral = changes.referral
    referral.unacknowledged = False
    if referral.state == State.EMERGENCY_REDIRECTED:
        reason = [*referral.reason, *how]
        changes.move(State.EMERGENCY_ACKNOWLEDGED, reason=reason, turn=Turn.NOBODY)
    else:
        referral.turn = Turn.NOBODY if State(referral.state) in TERMINAL else Turn.CLINIC
    changes.timers[ESCALATION] = None
    codes = (TaskCode.ACKNOWLEDGE_EMERGENCY, TaskCode.TELEPHONE_REFERRER)
    changes.finish_work(status="completed", reason=how, codes=codes)
    changes.announce(events.ReferralEmergencyAcknowledged)


async def escalate(ctx: Context, tx: Transaction, referral_id: str) -> None:
    """Ask the coordinator to telephone, and again until the referrer has acknowledged.

    An acknowledgement that was faster has cancelled the timer; its row is locked here, so none is overlooked.
    """
    file = await referral_file.locked(tx, UUID(referral_id))
    if file is None or not file.referral.unacknowledged:
        return
    changes = Changes(ctx, file)
    _telephone(ctx, changes, reason=Reason.of("not-acknowledged", at=ctx.at))
    changes.timers[ESCALATION] = ctx.at + timedelta(minutes=ctx.clinic.emergency.escalate_every_minutes)
    await record.run(ctx, tx, changes)
