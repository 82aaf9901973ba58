"""An emergency is a hard stop: the referrer must acknowledge it, and a person telephones until then."""

from datetime import timedelta
from uuid import UUID

from services.referral.models import Referral, Verdict
from services.referral.states import UNDER_CARE, State, Turn
from services.referral.use_cases.recording import (
    announce,
    finish_task,
    keep_task,
    load_referral,
    move,
    open_work_task,
    the_clinic,
)
from shared import timers
from shared.context import Context
from shared.db import Transaction
from shared.errors import Conflict
from shared.events.catalog import referral as events
from shared.fhir.codes import TaskCode

ESCALATION = "emergency-escalation"


class NoEmergency(Conflict):
    """There is nothing to acknowledge."""


async def redirect(ctx: Context, tx: Transaction, referral: Referral, *, verdict: Verdict) -> None:
    """Send the patient to an emergency department and wait for the referrer's acknowledgement.

    A flag that comes after acceptance is told in the same way, while the referral itself stays where it is:
    ending the care is a person's decision.
    """
    referral.unacknowledged = True
    if State(referral.state) not in UNDER_CARE:
        await move(
            ctx,
            tx,
            referral,
            State.EMERGENCY_REDIRECTED,
            reason=verdict.reason,
            turn=Turn.REFERRER,
            name="redirecting",
        )
    referral.reason, referral.turn = verdict.reason, Turn.REFERRER
    due = ctx.at + timedelta(minutes=ctx.clinic.emergency.acknowledge_within_minutes)
    work = await open_work_task(
        ctx,
        tx,
        referral,
        code=TaskCode.ACKNOWLEDGE_EMERGENCY,
        owner=f"Organization/{referral.requester}",
        reason=verdict.reason,
        due=due,
    )
    await timers.schedule(tx, kind=ESCALATION, ref=str(referral.id), due=due)
    task = await keep_task(ctx, tx, referral)
    announce(ctx, tx, events.ReferralTriaged, referral, task)
    announce(ctx, tx, events.ReferralRedirectedToEmergency, referral, task, work.body)


async def acknowledge_emergency(ctx: Context, tx: Transaction, referral_id: str) -> Referral:
    """Take the referrer's acknowledgement; a second one changes nothing."""
    referral = await load_referral(ctx, tx, referral_id)
    if referral.unacknowledged:
        await end_emergency(ctx, tx, referral, how="The referrer acknowledged.")
    elif referral.state != State.EMERGENCY_ACKNOWLEDGED:
        text = f"no emergency waits for an acknowledgement: the referral is {referral.state}"
        raise NoEmergency(text, expression="ServiceRequest")
    return referral


async def end_emergency(ctx: Context, tx: Transaction, referral: Referral, *, how: str) -> None:
    """Note that the referrer knows, by the API or by telephone, and stop the escalation."""
    referral.unacknowledged = False
    if referral.state == State.EMERGENCY_REDIRECTED:
        await move(
            ctx,
            tx,
            referral,
            State.EMERGENCY_ACKNOWLEDGED,
            reason=f"{referral.reason} {how}",
            turn=Turn.NOBODY,
            name="acknowledging",
        )
    else:
        referral.turn = Turn.CLINIC
    await timers.cancel(tx, kind=ESCALATION, ref=str(referral.id))
    for code in (TaskCode.ACKNOWLEDGE_EMERGENCY, TaskCode.TELEPHONE_REFERRER):
        await finish_task(ctx, tx, referral, code=code, reason=how)
    task = await keep_task(ctx, tx, referral)
    announce(ctx, tx, events.ReferralEmergencyAcknowledged, referral, task)


async def escalate_emergency(ctx: Context, tx: Transaction, referral_id: str) -> None:
    """Ask the coordinator to telephone, and again until the referrer has acknowledged.

    An acknowledgement that was faster has cancelled the timer; its row is locked here, so none is overlooked.
    """
    referral = await tx.get(Referral, UUID(referral_id), lock=True)
    if referral is None or not referral.unacknowledged:
        return
    work = await open_work_task(
        ctx,
        tx,
        referral,
        code=TaskCode.TELEPHONE_REFERRER,
        owner=the_clinic(ctx),
        reason=f"Not acknowledged at {ctx.at:%Y-%m-%d %H:%M} UTC. {referral.reason}",
    )
    due = ctx.at + timedelta(minutes=ctx.clinic.emergency.escalate_every_minutes)
    await timers.schedule(tx, kind=ESCALATION, ref=str(referral.id), due=due)
    task = await keep_task(ctx, tx, referral)
    announce(ctx, tx, events.ReferralEmergencyEscalated, referral, task, work.body)
