"""A referral that ends leaves nothing behind: appointments, waitlist, series, promise, timers."""

from uuid import UUID

from services.scheduling import queries
from services.scheduling.models import Appointment, Referral
from services.scheduling.settings import Desk
from services.scheduling.states import AppointmentStatus, ReferralState
from services.scheduling.use_cases.promise import tell_promise, weigh_promise
from services.scheduling.use_cases.recording import free, keep, tell
from services.scheduling.use_cases.settle_series import withdraw_sessions
from services.scheduling.use_cases.timer_kinds import TimerKind
from shared import timers
from shared.act import Act
from shared.db import Transaction
from shared.events.catalog import scheduling as events


async def end_referral(
    tx: Transaction, referral_id: UUID, *, because: str, patients: bool, desk: Desk, act: Act
) -> None:
    """End a referral: cancel what is booked, leave the waitlist, end the promise.

    A visit that is over and that nobody recorded is cancelled too, so that nothing stays pending. A referral
    that was never accepted, or has ended already, has nothing here to end. `patients` is whether the
    patient's side ended it.
    """
    referral = await queries.locked_referral(tx, referral_id)
    if referral is None or referral.state == ReferralState.ENDED:
        return
    await _end(tx, referral, because=because, patients=patients, also_past=True, desk=desk, act=act)


async def end_care(tx: Transaction, referral_id: UUID, *, desk: Desk, act: Act) -> bool:
    """End a referral because the patient was discharged; tell whether the referral is known.

    Sessions that are over and not recorded yet can still be recorded.
    """
    referral = await queries.locked_referral(tx, referral_id)
    if referral is not None and referral.state == ReferralState.OPEN:
        why = "the patient was discharged"
        await _end(tx, referral, because=why, patients=False, also_past=False, desk=desk, act=act)
    return referral is not None


async def _end(
    tx: Transaction,
    referral: Referral,
    *,
    because: str,
    patients: bool,
    also_past: bool,
    desk: Desk,
    act: Act,
) -> None:
    referral.state, referral.ended_because = ReferralState.ENDED, because
    for row in await queries.first_appointments(tx, referral.id):
        if row.status in (AppointmentStatus.WAITLIST, AppointmentStatus.BOOKED):
            await _cancel_first(
                tx, row, referral=referral, because=because, patients=patients, desk=desk, act=act
            )
    await withdraw_sessions(tx, referral, because=because, also_past=also_past, desk=desk, act=act)
    tell_promise(tx, await weigh_promise(tx, referral, desk=desk, act=act), act=act)


async def _cancel_first(
    tx: Transaction,
    row: Appointment,
    *,
    referral: Referral,
    because: str,
    patients: bool,
    desk: Desk,
    act: Act,
) -> None:
    waited = row.status == AppointmentStatus.WAITLIST
    row.status, row.reason_text = AppointmentStatus.CANCELLED, because
    row.reason_code, row.patient_caused = ("pat" if patients else "prov"), patients
    await keep(tx, row, desk=desk, act=act)
    promise = await weigh_promise(tx, referral, desk=desk, act=act)
    if waited:
        await timers.cancel(tx, kind=TimerKind.TRY, ref=str(row.id))
        tell(tx, events.WAITLIST_LEFT, row, promise=promise, act=act)
    else:
        await free(tx, [row], act=act)
        tell(tx, events.APPOINTMENT_CANCELLED, row, promise=promise, act=act)
    tell_promise(tx, promise, act=act)
