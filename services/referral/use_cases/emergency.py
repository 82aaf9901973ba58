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
from shared.act import Act
from shared.auth.principal import Principal
from shared.clinic import Clinic
from shared.db import Transaction
from shared.errors import Conflict
from shared.events.catalog import referral as events
from shared.fhir.codes import TaskCode

ESCALATION = "emergency-escalation"


class NoEmergency(Conflict):
    """There is nothing to acknowledge."""


async def redirect(
    tx: Transaction, referral: Referral, *, verdict: Verdict, act: Act, clinic: Clinic
) -> None:
    """Send the patient to an emergency department and wait for the referrer's acknowledgement.

    A flag that comes after acceptance is told in the same way, while the referral itself stays where it is:
    ending the care is a person's decision.
    """
    referral.unacknowledged = True
    if State(referral.state) not in UNDER_CARE:
        await move(
            tx,
            referral,
            State.EMERGENCY_REDIRECTED,
            reason=verdict.reason,
            turn=Turn.REFERRER,
            act=act,
            name="redirecting",
        )
    referral.reason, referral.turn = verdict.reason, Turn.REFERRER
    due = act.at + timedelta(minutes=clinic.emergency.acknowledge_within_minutes)
    work = await open_work_task(
        tx,
        referral,
        code=TaskCode.ACKNOWLEDGE_EMERGENCY,
        owner=f"Organization/{referral.requester}",
        reason=verdict.reason,
        act=act,
        due=due,
    )
    await timers.schedule(tx, kind=ESCALATION, ref=str(referral.id), due=due)
    task = await keep_task(tx, referral, act=act, clinic=clinic)
    announce(tx, events.TRIAGED, referral, task, act=act)
    announce(tx, events.REDIRECTED_TO_EMERGENCY, referral, task, work.body, act=act)


async def acknowledge_emergency(
    tx: Transaction, referral_id: str, *, by: Principal, act: Act, clinic: Clinic
) -> Referral:
    """Take the referrer's acknowledgement; a second one changes nothing."""
    referral = await load_referral(tx, referral_id, by=by)
    if referral.unacknowledged:
        await end_emergency(tx, referral, how="The referrer acknowledged.", act=act, clinic=clinic)
    elif referral.state != State.EMERGENCY_ACKNOWLEDGED:
        text = f"no emergency waits for an acknowledgement: the referral is {referral.state}"
        raise NoEmergency(text, expression="ServiceRequest")
    return referral


async def end_emergency(tx: Transaction, referral: Referral, *, how: str, act: Act, clinic: Clinic) -> None:
    """Note that the referrer knows, by the API or by telephone, and stop the escalation."""
    referral.unacknowledged = False
    if referral.state == State.EMERGENCY_REDIRECTED:
        await move(
            tx,
            referral,
            State.EMERGENCY_ACKNOWLEDGED,
            reason=f"{referral.reason} {how}",
            turn=Turn.NOBODY,
            act=act,
            name="acknowledging",
        )
    else:
        referral.turn = Turn.CLINIC
    await timers.cancel(tx, kind=ESCALATION, ref=str(referral.id))
    for code in (TaskCode.ACKNOWLEDGE_EMERGENCY, TaskCode.TELEPHONE_REFERRER):
        await finish_task(tx, referral, code=code, reason=how, act=act)
    task = await keep_task(tx, referral, act=act, clinic=clinic)
    announce(tx, events.EMERGENCY_ACKNOWLEDGED, referral, task, act=act)


async def escalate_emergency(tx: Transaction, referral_id: str, *, act: Act, clinic: Clinic) -> None:
    """Ask the coordinator to telephone, and again until the referrer has acknowledged.

    An acknowledgement that was faster has cancelled the timer; its row is locked here, so none is overlooked.
    """
    referral = await tx.get(Referral, UUID(referral_id), lock=True)
    if referral is None or not referral.unacknowledged:
        return
    work = await open_work_task(
        tx,
        referral,
        code=TaskCode.TELEPHONE_REFERRER,
        owner=the_clinic(clinic),
        reason=f"Not acknowledged at {act.at:%Y-%m-%d %H:%M} UTC. {referral.reason}",
        act=act,
    )
    due = act.at + timedelta(minutes=clinic.emergency.escalate_every_minutes)
    await timers.schedule(tx, kind=ESCALATION, ref=str(referral.id), due=due)
    task = await keep_task(tx, referral, act=act, clinic=clinic)
    announce(tx, events.EMERGENCY_ESCALATED, referral, task, work.body, act=act)
