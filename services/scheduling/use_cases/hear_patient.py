"""What a patient answered about a visit, and whether a message about it reached them.

Invariants:
- An answer is about the visit as it was told: one that has another time by now, or an end, is not changed.
- Another time that is asked for is a person's to find; the visit stands until then.
- Of what no message tells, a Task asks to telephone; it ends where a message arrives after all.
"""

from uuid import UUID

from services.scheduling import queries
from services.scheduling.models.appointment_change import AppointmentChange, CancellationReason
from services.scheduling.models.rows import Appointment, Referral
from services.scheduling.states import AppointmentStatus
from services.scheduling.use_cases import change, record, tell_patient
from services.scheduling.use_cases.availability_cache import AvailabilityCache
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog.notifications import AppointmentAnswered, PatientNotTold, PatientTold
from shared.reasons import Reason

# HL7: Canceled via Patient Portal.
_BY_LINK = "pat-cpp"
# A newer message says what does stand.
_SAID_BY_ANOTHER = "superseded"
# Where the clinic has no way at all, a reminder is not worth a call: the visit itself was told.
_NO_WAY = frozenset({"no-server", "no-gateway"})
# The patient permits no message at all.
_BY_TELEPHONE = "by-telephone"


async def answered(
    ctx: Context, tx: Transaction, event: AppointmentAnswered, *, cache: AvailabilityCache
) -> None:
    """Confirm a visit, call it off, or ask a coordinator to find another time."""
    found = await _locked(tx, event.visit)
    if found is None:
        return
    referral, row = found
    if row.status != AppointmentStatus.BOOKED or row.starts_at != event.starts_at or row.starts_at <= ctx.at:
        return
    match event.answer:
        case "accepted":
            row.confirmed_start = row.starts_at
            await record.save_appointment(ctx, tx, row)
            await tell_patient.was_told(ctx, tx, row.id)
        case "declined":
            reason = CancellationReason(code=_BY_LINK, words=event.comment)
            wanted = AppointmentChange(status=AppointmentStatus.CANCELLED, reason=reason)
            await change.run(ctx, tx, row, wanted, referral=referral, cache=cache)
        case _:
            because = Reason.of("asks-for-another-time", when=row.starts_at)
            await tell_patient.telephone(ctx, tx, row, because=because, words=event.comment)


async def told(ctx: Context, tx: Transaction, event: PatientTold) -> None:
    """End the Task that asked to tell what a message has told."""
    if event.visit is not None and not event.is_reminder:
        await tell_patient.was_told(ctx, tx, UUID(event.visit))


async def not_told(ctx: Context, tx: Transaction, event: PatientNotTold) -> None:
    """Ask to telephone about a visit of which no message arrived, while that is worth a call."""
    codes = {reason.code for reason in event.reasons}
    if _SAID_BY_ANOTHER in codes or (event.is_reminder and codes & _NO_WAY):
        return
    row = await _told_of(ctx, tx, event)
    if row is None or row.starts_at is None or row.starts_at <= ctx.at:
        return
    because = _because(ctx, row, event)
    if because is not None:
        await tell_patient.telephone(ctx, tx, row, because=because)


def _because(ctx: Context, row: Appointment, event: PatientNotTold) -> Reason | None:
    """Say what is to be told of a visit; None where there is nothing any more."""
    if row.starts_at is None:
        return None
    if row.status == AppointmentStatus.CANCELLED:
        return Reason.of("cancellation-not-told", when=row.starts_at)
    if row.status != AppointmentStatus.BOOKED:
        return None
    if event.series is not None:
        zone = ctx.clinic.site(row.site).zone
        return Reason.of("series-to-tell", day=row.starts_at.astimezone(zone).date())
    if any(reason.code == _BY_TELEPHONE for reason in event.reasons):
        return Reason.of("visit-to-tell", when=row.starts_at)
    return Reason.of("message-not-arrived", when=row.starts_at)


async def _told_of(ctx: Context, tx: Transaction, event: PatientNotTold) -> Appointment | None:
    """Lock the visit of which a message was, its referral first; of a series its next session."""
    if event.series is None:
        found = None if event.visit is None else await _locked(tx, event.visit)
        return None if found is None else found[1]
    if await queries.referrals.locked(tx, UUID(event.referral)) is None:
        return None
    sessions = await queries.appointments.sessions_of(tx, UUID(event.series))
    booked = (row for row in sessions if row.status == AppointmentStatus.BOOKED and row.starts_at)
    return next((row for row in booked if row.starts_at and row.starts_at > ctx.at), None)


async def _locked(tx: Transaction, visit: str) -> tuple[Referral, Appointment] | None:
    """Lock a visit, its referral first; None for one that is not known."""
    referral = await queries.referrals.locked_of(tx, UUID(visit))
    row = await queries.appointments.locked(tx, UUID(visit))
    return None if referral is None or row is None else (referral, row)
