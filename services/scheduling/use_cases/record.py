"""Write what a verb has decided, and publish it.

Invariants:
- Whoever calls this holds the referral's lock, and hands on the rows that it has locked or made.
- A row is written before an event about it is published, so that the event carries the bytes just written.
"""

from collections.abc import Sequence

import msgspec

from services.scheduling import fhir, queries, rules
from services.scheduling.models.correction import Correction
from services.scheduling.models.rows import Appointment, Guarantee, Referral, Series
from services.scheduling.models.timer_kinds import TimerKind
from services.scheduling.states import LOST, AppointmentStatus, SeriesStatus
from services.scheduling.use_cases import freed_time, record_visits, take_seat, tell_patient
from services.scheduling.use_cases.record_guarantee import EvaluatedGuarantee, evaluate_guarantee
from shared import timers
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog import DomainEvent, people
from shared.events.catalog import scheduling as events
from shared.events.catalog.scheduling import AppointmentBooked
from shared.events.outbox.publishing import Publication, publish_all
from shared.fhir import store
from shared.fhir.codes import is_the_patients
from shared.people import KnownPerson
from shared.reasons import Reason
from shared.timers import Timer

CLINIC_CANCELS = "prov"
PATIENT_CANCELS = "pat"

_SERIES_STATUS: dict[type[DomainEvent], SeriesStatus] = {
    events.SeriesBooked: SeriesStatus.BOOKED,
    events.SeriesNotBooked: SeriesStatus.NOT_BOOKED,
    events.SeriesSuspended: SeriesStatus.SUSPENDED,
    events.SeriesCompleted: SeriesStatus.COMPLETED,
}
# What verbs change of an appointment that the database has.
_CHANGED = (
    *("status", "kind", "visit_type", "discipline", "minutes"),
    *("practitioner", "colleagues", "room", "equipment", "starts_at", "ends_at"),
    *("held_until", "held_by", "overbooked_because", "group_session", "seat"),
    *("reason_code", "other_codings", "reasons", "patient_caused", "confirmed_start"),
)
_SERIES_CHANGED = ("status", "reasons", "wanted", "short", "short_since", "held_until")
# Of a series that is not booked these say that a person may find a way; all else is waited for.
_FOR_A_PERSON = ("session-finds-no-time", "no-room-in-week", "contended")


def fill_appointment(ctx: Context, row: Appointment) -> None:
    """Give an appointment its next version, without writing it."""
    store.fill(row, fhir.appointments.render(ctx, row), at=ctx.at)


async def save_appointment(
    ctx: Context, tx: Transaction, row: Appointment, *, correction: Correction | None = None
) -> None:
    """Write the next version of an appointment; what is a correction says so in this version.

    Whoever is to be told its day is told what it is now, and who was asked to record it is not any more.
    """
    if row.version:
        changes = {name: getattr(row, name) for name in _CHANGED}
        body = fhir.appointments.render(ctx, row)
        if correction is not None:
            extensions = [*body.get("extension", ()), fhir.corrections.extension(ctx, row, correction)]
            body["extension"] = extensions
        await store.update(tx, row, body, at=ctx.at, **changes)
        await tell_patient.follow(ctx, tx, [row])
        if row.status in (*LOST, AppointmentStatus.FULFILLED):
            await record_visits.follow(ctx, tx, [row])
    else:
        fill_appointment(ctx, row)
        await tx.insert(row)


async def save_visit(ctx: Context, tx: Transaction, row: Appointment, event: type[DomainEvent]) -> None:
    """Write a visit that is no first one, and publish what happened to it."""
    await save_appointment(ctx, tx, row)
    await publish_appointment_event(ctx, tx, event, row)


async def save_first(
    ctx: Context, tx: Transaction, row: Appointment, *events: type[DomainEvent], referral: Referral
) -> EvaluatedGuarantee:
    """Write a first appointment and the guarantee as it now is, and publish what happened to both.

    Returns the guarantee with all first appointments of the referral.
    """
    await save_appointment(ctx, tx, row)
    evaluated = await evaluate_guarantee(ctx, tx, referral)
    published = first_publications(ctx, row, *events, evaluated=evaluated, person=referral.person)
    await publish_all(tx, published)
    return evaluated


async def cancel_for(
    ctx: Context, tx: Transaction, row: Appointment, *, code: str, because: Sequence[Reason]
) -> None:
    """Cancel a locked visit for a reason of HL7 and in words; its time is given back by the caller."""
    row.status, row.reason_code, row.reasons = AppointmentStatus.CANCELLED, code, list(because)
    row.patient_caused = is_the_patients(code)
    await save_appointment(ctx, tx, row)


async def cancel_sessions(
    ctx: Context, tx: Transaction, rows: Sequence[Appointment], *, because: Reason
) -> None:
    """Cancel locked sessions on the clinic's side, and give their time back."""
    before = [row.version for row in rows]
    for row in rows:
        row.status, row.reason_code, row.reasons = AppointmentStatus.CANCELLED, CLINIC_CANCELS, [because]
        fill_appointment(ctx, row)
    await store.update_all(tx, list(zip(rows, before, strict=True)), *_CHANGED)
    await give_back(ctx, tx, rows)
    await tell_patient.follow(ctx, tx, rows)
    await record_visits.follow(ctx, tx, rows)


async def save_series(
    ctx: Context,
    tx: Transaction,
    series: Series,
    event: type[DomainEvent],
    *,
    because: Sequence[Reason],
    sessions: Sequence[Appointment],
    carries: Sequence[Appointment] = (),
) -> None:
    """Write a series as it is after an event, which names these sessions, and publish the event."""
    if event in (events.SeriesBooked, events.SeriesSuspended, events.SeriesNotBooked):
        is_stuck = event is events.SeriesNotBooked and any(one.code in _FOR_A_PERSON for one in because)
        series.short, series.short_since = None, ctx.at if is_stuck else None
    await update_series(ctx, tx, series, status=_SERIES_STATUS[event], because=because, sessions=sessions)
    await publish_all(tx, [_about(ctx, event, series, *(row.body for row in carries))])


async def update_series(
    ctx: Context,
    tx: Transaction,
    series: Series,
    *,
    status: SeriesStatus,
    because: Sequence[Reason],
    sessions: Sequence[Appointment],
) -> None:
    """Write a series, which names these sessions, as it is now."""
    series.status, series.reasons = status, list(because)
    body = fhir.series.render(ctx, series, sessions=sessions)
    if series.version:
        kept = {name: getattr(series, name) for name in _SERIES_CHANGED}
        await store.update(tx, series, body, at=ctx.at, **kept)
    else:
        await store.insert(tx, series, body, at=ctx.at)


async def publish_series_event(
    ctx: Context, tx: Transaction, event: type[DomainEvent], series: Series, *carries: Appointment
) -> None:
    """Publish an event about a series as it was written."""
    await publish_all(tx, [_about(ctx, event, series, *(row.body for row in carries))])


async def publish_appointment_event(
    ctx: Context, tx: Transaction, event: type[DomainEvent], *rows: Appointment
) -> None:
    """Publish the same event about each of these sessions."""
    await publish_all(tx, [_about(ctx, event, row) for row in rows])


def first_publications(
    ctx: Context,
    row: Appointment,
    *events: type[DomainEvent],
    evaluated: EvaluatedGuarantee,
    person: KnownPerson | None = None,
) -> list[Publication]:
    """Return events about a first appointment, which carry the guarantee, and what is new about that.

    A booking carries the `person` for whom it is, so that the team knows them.
    """
    guarantee = evaluated.guarantee.body
    whom = [] if person is None else [msgspec.json.encode(people.resource(row.patient_id, person))]
    about = [
        _about(ctx, event, row, guarantee, *(whom if event is AppointmentBooked else ())) for event in events
    ]
    return [*about, *_news(ctx, evaluated)]


async def publish_guarantee_event(ctx: Context, tx: Transaction, *evaluated: EvaluatedGuarantee) -> None:
    """Publish what is new about guarantees, if anything is."""
    await publish_all(tx, [news for one in evaluated for news in _news(ctx, one)])


def guarantee_publication(ctx: Context, event: type[DomainEvent], guarantee: Guarantee) -> Publication:
    """Return an event about a guarantee."""
    return _about(ctx, event, guarantee)


async def give_back(ctx: Context, tx: Transaction, rows: Sequence[Appointment]) -> None:
    """Give the time of these appointments back, and offer it to the waitlist after this transaction."""
    if not rows:
        return
    sites = sorted({row.site for row in rows})
    if sessions := {row.group_session for row in rows if row.group_session is not None}:
        await take_seat.end_empty(tx, sessions, but_not=[row.id for row in rows])
    await queries.occupancy.release(tx, [row.id for row in rows])
    await queries.occupancy.count_freed(tx, sites)
    await freed_time.note(ctx, tx, rows)
    offers = [Timer(kind=TimerKind.OFFER, ref=site, due_at=ctx.at) for site in sites]
    await timers.schedule_all(tx, offers)


def claim_of(row: Appointment, candidate: rules.candidates.Candidate) -> queries.occupancy.OccupancyClaim:
    """Return what an appointment takes: clinicians, room, equipment and patient."""
    return queries.occupancy.OccupancyClaim(
        appointment=row.id,
        resources=(*candidate.resources, rules.needs.patient_key(row.patient_id)),
        span=candidate.taken,
        visit=None if candidate.buffered is None else candidate.span,
        until=rules.booking.taken_until(row),
    )


def put_into(row: Appointment, candidate: rules.candidates.Candidate) -> None:
    """Set the time of an appointment and what it takes, without writing it."""
    row.starts_at, row.ends_at = candidate.span
    row.practitioner, row.room = candidate.person, candidate.room
    row.colleagues, row.equipment = list(candidate.colleagues), list(candidate.equipment)
    if not candidate.is_overbooked:
        row.overbooked_because = None


def _news(ctx: Context, evaluated: EvaluatedGuarantee) -> list[Publication]:
    return [_about(ctx, event, evaluated.guarantee) for event in evaluated.events]


def _about(
    ctx: Context, event: type[DomainEvent], of: Appointment | Guarantee | Series, *carries: bytes
) -> Publication:
    resources = (of.body, *carries)
    published = event(patient_id=of.patient_id, referral_id=str(of.referral_id), resources=resources)
    return Publication(ctx=ctx, of=of, event=published)
