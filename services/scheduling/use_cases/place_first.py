"""Book the first appointment at the earliest fitting time, or put the patient on the waitlist."""

from services.scheduling import rules
from services.scheduling.models import Appointment, Referral
from services.scheduling.settings import Desk
from services.scheduling.states import AppointmentStatus
from services.scheduling.use_cases.earliest import Wanted, take_earliest
from services.scheduling.use_cases.needs import kept_need
from services.scheduling.use_cases.promise import tell_promise, unavailable_spans, weigh_promise
from services.scheduling.use_cases.recording import keep, tell
from services.scheduling.use_cases.settle_series import settle_series
from services.scheduling.use_cases.timer_kinds import TimerKind
from shared import timers
from shared.act import Act
from shared.db import Transaction
from shared.events.catalog import scheduling as events
from shared.fhir.codes import AppointmentKind


async def place_first(
    tx: Transaction, referral: Referral, *, waiting: Appointment | None = None, desk: Desk, act: Act
) -> None:
    """Book the earliest time that fits, whoever races; where there is none, the patient waits.

    `waiting` is the patient's place on the waitlist, which becomes the booking; without a time it stays what
    it is, and the promise was told to be at risk when the patient joined.
    """
    row = waiting or first_visit(referral, desk=desk)
    wanted = wanted_first(row, referral, desk=desk, act=act)
    await take_earliest(tx, [wanted], desk=desk)
    if wanted.candidate is not None:
        await record_first(tx, row, referral=referral, from_waitlist=waiting is not None, desk=desk, act=act)
    elif waiting is None:
        await _join_waitlist(tx, row, referral=referral, desk=desk, act=act)


async def record_first(
    tx: Transaction, row: Appointment, *, referral: Referral, from_waitlist: bool, desk: Desk, act: Act
) -> None:
    """Record a first appointment whose time was taken, tell of it, and settle what follows it."""
    row.status = AppointmentStatus.BOOKED
    await keep(tx, row, desk=desk, act=act)
    promise = await weigh_promise(tx, referral, desk=desk, act=act)
    if from_waitlist:
        tell(tx, events.WAITLIST_LEFT, row, promise=promise, act=act)
        await timers.cancel(tx, kind=TimerKind.TRY, ref=str(row.id))
    tell(tx, events.APPOINTMENT_BOOKED, row, promise=promise, act=act)
    tell_promise(tx, promise, act=act)
    await settle_series(tx, referral, desk=desk, act=act)


def wanted_first(row: Appointment, referral: Referral, *, desk: Desk, act: Act) -> Wanted:
    """Say what a first appointment wants: inside the promise, and not when the patient cannot come."""
    first = desk.clinic.programme(referral.programme).first
    kept = kept_need(first, site_id=referral.site, purpose="first", desk=desk)
    window = rules.first_window(now=act.at, due_at=referral.due_at, zone=kept.need.site.zone)
    return Wanted(row=row, kept=kept, window=window, never=unavailable_spans(referral))


async def _join_waitlist(
    tx: Transaction, row: Appointment, *, referral: Referral, desk: Desk, act: Act
) -> None:
    """Put the patient on the waitlist, and try once more after this transaction.

    A time that was freed while this one looked would otherwise be seen by nobody.
    """
    await keep(tx, row, desk=desk, act=act)
    promise = await weigh_promise(tx, referral, desk=desk, act=act)
    tell(tx, events.WAITLIST_JOINED, row, promise=promise, act=act)
    tell_promise(tx, promise, act=act)
    await timers.schedule(tx, kind=TimerKind.TRY, ref=str(row.id), due=act.at)
    await settle_series(tx, referral, desk=desk, act=act)


def first_visit(referral: Referral, *, desk: Desk) -> Appointment:
    """Make a first appointment without a time."""
    return Appointment(
        referral_id=referral.id,
        kind=AppointmentKind.FIRST,
        status=AppointmentStatus.WAITLIST,
        patient_id=referral.patient_id,
        programme=referral.programme,
        site=referral.site,
        requester=referral.requester,
        minutes=desk.clinic.programme(referral.programme).first.minutes,
    )
