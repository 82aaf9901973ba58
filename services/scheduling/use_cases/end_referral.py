"""A referral that ends leaves nothing behind: appointments, waitlist, series, promise, timers."""

from uuid import UUID

from services.scheduling import queries
from services.scheduling.models import Appointment, Referral
from services.scheduling.states import AppointmentStatus, ReferralState
from services.scheduling.use_cases.promise import tell_promise, weigh_promise
from services.scheduling.use_cases.recording import free, keep, tell
from services.scheduling.use_cases.settle_series import withdraw_sessions
from services.scheduling.use_cases.timer_kinds import TimerKind
from shared import timers
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog import scheduling as events


async def end_referral(
    ctx: Context, tx: Transaction, referral_id: UUID, *, because: str, patients: bool
) -> None:
    """End a referral: cancel what is booked, leave the waitlist, end the promise.

    A visit that is over and that nobody recorded is cancelled too, so that nothing stays pending. A referral
    that was never accepted, or has ended already, has nothing here to end. `patients` is whether the
    patient's side ended it.
    """
    referral = await queries.locked_referral(tx, referral_id)
    if referral is None or referral.state == ReferralState.ENDED:
        return
    await _end(ctx, tx, referral, because=because, patients=patients, also_past=True)


async def end_care(ctx: Context, tx: Transaction, referral_id: UUID) -> bool:
    """End a referral because the patient was discharged; tell whether the referral is known.

    Sessions that are over and not recorded yet can still be recorded.
    """
    referral = await queries.locked_referral(tx, referral_id)
    if referral is not None and referral.state == ReferralState.OPEN:
        why = "the patient was discharged"
        await _end(ctx, tx, referral, because=why, patients=False, also_past=False)
    return referral is not None


async def _end(
    ctx: Context, tx: Transaction, referral: Referral, *, because: str, patients: bool, also_past: bool
) -> None:
    referral.state, referral.ended_because = ReferralState.ENDED, because
    for row in await queries.first_appointments(tx, referral.id):
        if row.status in (AppointmentStatus.WAITLIST, AppointmentStatus.BOOKED):
            await _cancel_first(ctx, tx, row, referral=referral, because=because, patients=patients)
    await withdraw_sessions(ctx, tx, referral, because=because, also_past=also_past)
    tell_promise(ctx, tx, await weigh_promise(ctx, tx, referral))


async def _cancel_first(
    ctx: Context, tx: Transaction, row: Appointment, *, referral: Referral, because: str, patients: bool
) -> None:
    waited = row.status == AppointmentStatus.WAITLIST
    row.status, row.reason_text = AppointmentStatus.CANCELLED, because
    row.reason_code, row.patient_caused = ("pat" if patients else "prov"), patients
    await keep(ctx, tx, row)
    promise = await weigh_promise(ctx, tx, referral)
    if waited:
        await timers.cancel(tx, kind=TimerKind.TRY, ref=str(row.id))
        tell(ctx, tx, events.WaitlistLeft, row, promise=promise)
    else:
        await free(ctx, tx, [row])
        tell(ctx, tx, events.AppointmentCancelled, row, promise=promise)
    tell_promise(ctx, tx, promise)
