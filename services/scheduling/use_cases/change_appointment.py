"""A person changes an appointment: arrived, fulfilled, missed, cancelled, or a new time."""

from datetime import datetime
from uuid import UUID

from services.scheduling import fhir, queries, rules, states
from services.scheduling.models import Appointment, Referral
from services.scheduling.states import AppointmentStatus, ReferralState
from services.scheduling.use_cases.availability_cache import AvailabilityCache
from services.scheduling.use_cases.move_appointment import move_appointment
from services.scheduling.use_cases.place_first import place_first
from services.scheduling.use_cases.promise import tell_promise, weigh_promise
from services.scheduling.use_cases.recording import free, keep, tell
from services.scheduling.use_cases.settle_series import close_if_over, settle_series
from shared.context import Context
from shared.db import Transaction
from shared.errors import Conflict, NotFound
from shared.events.catalog import DomainEvent
from shared.events.catalog import scheduling as events
from shared.fhir.codes import AppointmentKind

_EVENTS: dict[AppointmentStatus, type[DomainEvent]] = {
    AppointmentStatus.ARRIVED: events.AppointmentArrived,
    AppointmentStatus.FULFILLED: events.AppointmentFulfilled,
    AppointmentStatus.MISSED: events.AppointmentMissed,
    AppointmentStatus.CANCELLED: events.AppointmentCancelled,
}
_LOST = (AppointmentStatus.MISSED, AppointmentStatus.CANCELLED)


class NotInThisState(Conflict):
    """The appointment's life cycle has no such step."""


class TooEarly(Conflict):
    """What is to be recorded has not happened yet."""


async def appointment_for_change(ctx: Context, tx: Transaction, appointment_id: str) -> Appointment:
    """Lock an appointment that the caller may see; raises NotFound."""
    seen = await queries.appointment_visible_to(tx, _uuid(appointment_id), ctx.caller)
    if seen is None:
        raise NotFound(f"there is no Appointment/{appointment_id}")
    await queries.locked_referral(tx, seen.referral_id)
    return await queries.locked_appointment(tx, seen.id) or seen


async def change_appointment(
    ctx: Context, tx: Transaction, row: Appointment, wanted: fhir.Wanted, *, cache: AvailabilityCache
) -> None:
    """Do what is wanted with a locked appointment; nothing where nothing differs."""
    referral = await queries.locked_referral(tx, row.referral_id)
    if referral is None:
        raise LookupError(f"appointment {row.id} has no referral")
    if wanted.start is not None:
        await move_appointment(ctx, tx, row, referral=referral, start=wanted.start)
    elif wanted.status is not None:
        _check(ctx, row, wanted.status)
        await _record(ctx, tx, row, referral=referral, wanted=wanted, cache=cache)


async def _record(
    ctx: Context,
    tx: Transaction,
    row: Appointment,
    *,
    referral: Referral,
    wanted: fhir.Wanted,
    cache: AvailabilityCache,
) -> None:
    status = AppointmentStatus(wanted.status or row.status)
    row.status = status
    if wanted.reason is not None:
        row.reason_code, row.reason_text = wanted.reason.code, wanted.reason.text
        row.patient_caused = wanted.reason.patients
    await keep(ctx, tx, row)
    if status in _LOST:
        await free(ctx, tx, [row])
    if row.kind == AppointmentKind.SESSION:
        tell(ctx, tx, _EVENTS[status], row)
        await close_if_over(ctx, tx, referral)
        return
    await _first_changed(ctx, tx, row, referral=referral, event=_EVENTS[status], cache=cache)


async def _first_changed(
    ctx: Context,
    tx: Transaction,
    row: Appointment,
    *,
    referral: Referral,
    event: type[DomainEvent],
    cache: AvailabilityCache,
) -> None:
    """Tell of a first appointment; a lost one is booked again at once unless the referral has ended."""
    promise = await weigh_promise(ctx, tx, referral)
    tell(ctx, tx, event, row, promise=promise)
    tell_promise(ctx, tx, promise)
    if row.status in _LOST and referral.state == ReferralState.OPEN:
        await place_first(ctx, tx, referral, cache=cache)
    elif row.status == AppointmentStatus.FULFILLED:
        await settle_series(ctx, tx, referral)


def _check(ctx: Context, row: Appointment, status: AppointmentStatus) -> None:
    old = AppointmentStatus(row.status)
    if old == AppointmentStatus.WAITLIST:
        text = (
            "a place on the waitlist is booked by giving it a start; to take the patient off it, "
            "close the referral"
        )
        raise NotInThisState(text, expression="Appointment.status")
    if not states.may(old, status):
        allowed = ", ".join(states.reachable(old)) or "nothing else"
        text = f"an appointment that is {old} cannot become {status}; it can become {allowed}"
        raise NotInThisState(text, expression="Appointment.status")
    earliest = _earliest(ctx, row, status)
    if earliest is not None and ctx.at < earliest:
        text = f"{status} cannot be recorded before {earliest:%Y-%m-%dT%H:%M:%SZ}"
        raise TooEarly(text, expression="Appointment.status")


def _earliest(ctx: Context, row: Appointment, status: AppointmentStatus) -> datetime | None:
    """Tell from when a status can be recorded: arrived on the local day, held or missed from its start on."""
    if row.starts_at is None or status == AppointmentStatus.CANCELLED:
        return None
    if status == AppointmentStatus.ARRIVED:
        zone = ctx.clinic.site(row.site).zone
        return rules.local_day_start(row.starts_at.astimezone(zone).date(), zone)
    return row.starts_at


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFound(f"there is no Appointment/{text}") from None
