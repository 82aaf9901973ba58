"""An accepted referral gets another priority, and with it another day by which the patient is seen.

What is booked stands: a visit that now lies after the end of the guarantee puts it at risk, and the board
shows an earlier time where one is free. A guarantee that broke keeps the day that was broken.
"""

from uuid import UUID

from services.scheduling import queries, rules
from services.scheduling.models.rows import Referral
from services.scheduling.models.timer_kinds import TimerKind
from services.scheduling.states import UNTIMED, ReferralState
from services.scheduling.use_cases import record, record_guarantee
from shared import timers
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog.referral import ReferralPriorityChanged
from shared.fhir.codes import GuaranteeStatus

_OPEN = (
    *(GuaranteeStatus.PLANNED, GuaranteeStatus.ON_TRACK),
    *(GuaranteeStatus.AT_RISK, GuaranteeStatus.FORECAST_BREACH),
)


async def run(ctx: Context, tx: Transaction, event: ReferralPriorityChanged) -> None:
    """Take over priority and due day, work the guarantee out anew, and let who waits try once more.

    An event that is older than what is known changes nothing; a referral that is unknown was never accepted.
    """
    referral = await queries.referrals.locked(tx, UUID(event.referral))
    if referral is None or referral.state == ReferralState.ENDED:
        return
    if event.version <= referral.priority_version:
        return
    guarantee = await queries.guarantees.locked_of(tx, referral.id)
    is_open = guarantee.status in _OPEN
    await tx.update(referral, priority=event.priority, priority_version=event.version)
    if guarantee.status != GuaranteeStatus.BREACHED:
        await _move_due_day(ctx, tx, referral, event)
    evaluated = await record_guarantee.evaluate_guarantee(ctx, tx, referral, anew=True)
    if is_open and evaluated.guarantee.status in _OPEN:
        await timers.schedule_all(
            tx, record_guarantee.timers_of(ctx, referral, guarantee=evaluated.guarantee)
        )
    await record.publish_guarantee_event(ctx, tx, evaluated)


async def _move_due_day(
    ctx: Context, tx: Transaction, referral: Referral, event: ReferralPriorityChanged
) -> None:
    zone = ctx.clinic.site(referral.site).zone
    due_at = rules.calendar.local_day_end(event.due_on, zone)
    await tx.update(referral, due_on=event.due_on, due_at=due_at)
    for row in await queries.appointments.firsts_of(tx, referral.id):
        await tx.update(row, due_at=due_at)
        if row.status in UNTIMED:
            await timers.schedule(tx, kind=TimerKind.TRY, ref=str(row.id), due=ctx.at)
