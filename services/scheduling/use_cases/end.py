"""A referral that ends leaves nothing behind: appointments, waitlist, series, guarantee, timers."""

from uuid import UUID

from services.scheduling import queries
from services.scheduling.models.rows import Appointment, Referral
from services.scheduling.models.timer_kinds import TimerKind
from services.scheduling.states import AppointmentStatus, ReferralState
from services.scheduling.use_cases import reconcile_series, record
from shared import timers
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog import scheduling as events
from shared.reasons import Reason


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
        await _end(ctx, tx, referral, because=because, patients=patients, also_past=True)


async def care(ctx: Context, tx: Transaction, referral_id: UUID) -> bool:
    """End a referral because the patient was discharged, and return whether the referral is known.

    Sessions that are over and not recorded yet can still be recorded.
    """
    referral = await queries.referrals.locked(tx, referral_id)
    if referral is not None and referral.state == ReferralState.OPEN:
        await _end(
            ctx, tx, referral, because=Reason.of("patient-discharged"), patients=False, also_past=False
        )
    return referral is not None


async def _end(
    ctx: Context, tx: Transaction, referral: Referral, *, because: Reason, patients: bool, also_past: bool
) -> None:
    await tx.update(referral, state=str(ReferralState.ENDED), ended_because=[because])
    for row in await queries.appointments.firsts_of(tx, referral.id):
        if row.status in (AppointmentStatus.WAITLIST, AppointmentStatus.BOOKED):
            await _cancel_first(ctx, tx, row, referral=referral, because=because, patients=patients)
    await reconcile_series.withdraw(ctx, tx, referral, because=because, also_past=also_past)
    evaluated = await record.evaluate_guarantee(ctx, tx, referral)
    await record.publish_guarantee_event(ctx, tx, evaluated)


async def _cancel_first(
    ctx: Context, tx: Transaction, row: Appointment, *, referral: Referral, because: Reason, patients: bool
) -> None:
    waited = row.status == AppointmentStatus.WAITLIST
    row.status, row.reasons, row.patient_caused = AppointmentStatus.CANCELLED, [because], patients
    row.reason_code = record.PATIENT_CANCELS if patients else record.CLINIC_CANCELS
    if waited:
        await timers.cancel(tx, kind=TimerKind.TRY, ref=str(row.id))
    else:
        await record.give_back(ctx, tx, [row])
    event = events.WaitlistLeft if waited else events.AppointmentCancelled
    await record.save_first(ctx, tx, row, event, referral=referral)
