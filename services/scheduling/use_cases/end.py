"""A referral that ends leaves nothing behind: appointments, waitlist, series, guarantee, timers."""

from uuid import UUID

from services.scheduling import queries
from services.scheduling.models.rows import Appointment, Referral
from services.scheduling.models.timer_kinds import TimerKind
from services.scheduling.states import UNTIMED, AppointmentStatus, ReferralState
from services.scheduling.use_cases import (
    freed_time,
    holds,
    recall,
    reconcile_series,
    record,
    record_guarantee,
)
from services.scheduling.use_cases.record_guarantee import EvaluatedGuarantee
from shared import timers
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog import DomainEvent
from shared.events.catalog import scheduling as events
from shared.events.outbox.publishing import publish_all
from shared.reasons import Reason

# HL7's code for a visit that is called off because the patient has died.
DECEASED = "pat-dec"


async def run(
    ctx: Context, tx: Transaction, referral_id: UUID, *, because: Reason, patients: bool = False
) -> None:
    """End a referral: cancel what is booked, leave the waitlist, end the guarantee.

    A visit that is over and that nobody recorded is cancelled too, so that nothing stays pending. A referral
    that was never accepted, or has ended already, has nothing here to end. `patients` is whether the
    patient's side ended it.
    """
    referral = await queries.referrals.locked(tx, referral_id)
    if referral is not None and referral.state == ReferralState.OPEN:
        code = record.PATIENT_CANCELS if patients else record.CLINIC_CANCELS
        await _end(ctx, tx, referral, because=because, code=code, also_past=True)


async def care(ctx: Context, tx: Transaction, referral_id: UUID) -> bool:
    """End a referral because the patient was discharged, and return whether the referral is known.

    Sessions that are over and not recorded yet can still be recorded.
    """
    referral = await queries.referrals.locked(tx, referral_id)
    if referral is not None and referral.state == ReferralState.OPEN:
        await _end(ctx, tx, referral, because=Reason.of("patient-discharged"), also_past=False)
    return referral is not None


async def of_patient(ctx: Context, tx: Transaction, patient_id: str) -> None:
    """End every open referral of a patient who has died, and publish that nothing is booked any more.

    A visit that is over and that nobody recorded can still be recorded.
    """
    because = Reason.of("patient-died")
    for referral in await queries.referrals.open_of(tx, patient_id):
        evaluated = await _end(
            ctx, tx, referral, because=because, code=DECEASED, also_past=False, past_firsts=False
        )
        guarantee = evaluated.guarantee
        if not evaluated.is_changed:
            await record_guarantee.rewrite_guarantee(ctx, tx, guarantee, referral)
        await publish_all(tx, [record.guarantee_publication(ctx, events.BookingEnded, guarantee)])


async def _end(
    ctx: Context,
    tx: Transaction,
    referral: Referral,
    *,
    because: Reason,
    also_past: bool,
    code: str = record.CLINIC_CANCELS,
    past_firsts: bool = True,
) -> EvaluatedGuarantee:
    await tx.update(referral, state=str(ReferralState.ENDED), ended_because=[because])
    for row in await queries.appointments.firsts_of(tx, referral.id):
        is_over = row.starts_at is not None and row.starts_at <= ctx.at
        if row.status in (*UNTIMED, AppointmentStatus.BOOKED) and (past_firsts or not is_over):
            event = await call_off(ctx, tx, row, because=because, code=code)
            await record.save_first(ctx, tx, row, event, referral=referral)
            await freed_time.withdraw(ctx, tx, row)
    for row in await queries.appointments.others_booked(tx, referral.id):
        if row.status == AppointmentStatus.PENDING:
            await holds.let_go(ctx, tx, row, because=because, code=code)
            continue
        is_over = row.starts_at is not None and row.starts_at <= ctx.at
        if also_past or not is_over:
            event = await call_off(ctx, tx, row, because=because, code=code)
            await record.save_visit(ctx, tx, row, event)
            await freed_time.withdraw(ctx, tx, row)
    await reconcile_series.withdraw(ctx, tx, referral, because=because, also_past=also_past)
    await recall.withdraw(ctx, tx, referral.id, because=because)
    evaluated = await record_guarantee.evaluate_guarantee(ctx, tx, referral)
    await record.publish_guarantee_event(ctx, tx, evaluated)
    return evaluated


async def call_off(
    ctx: Context,
    tx: Transaction,
    row: Appointment,
    *,
    because: Reason,
    code: str = record.CLINIC_CANCELS,
) -> type[DomainEvent]:
    """Cancel a locked appointment that is booked or waits, without writing it.

    Returns what is to be published.
    """
    before = row.status
    row.status, row.reasons, row.reason_code = AppointmentStatus.CANCELLED, [because], code
    row.patient_caused = code == record.PATIENT_CANCELS
    if before == AppointmentStatus.WAITLIST:
        await timers.cancel(tx, kind=TimerKind.TRY, ref=str(row.id))
        return events.WaitlistLeft
    if before == AppointmentStatus.PROPOSED:
        return events.AppointmentCancelled
    await record.give_back(ctx, tx, [row])
    return events.AppointmentCancelled
