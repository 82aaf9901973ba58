"""Record an appointment and tell of it; take and free time."""

from collections.abc import Sequence

from services.scheduling import fhir, queries, rules
from services.scheduling.models import Appointment
from services.scheduling.use_cases.promise import Promise
from services.scheduling.use_cases.timer_kinds import TimerKind
from shared import timers
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog import DomainEvent
from shared.events.outbox import publishing
from shared.fhir import store


async def keep(ctx: Context, tx: Transaction, row: Appointment) -> None:
    """Record the next version of an appointment."""
    await store.put(tx, row, fhir.render_appointment(ctx, row), at=ctx.at)


def tell(
    ctx: Context,
    tx: Transaction,
    event: type[DomainEvent],
    row: Appointment,
    *,
    promise: Promise | None = None,
) -> None:
    """Publish an event about an appointment; that of a first one carries the promise."""
    carries = () if promise is None else (promise.guarantee.body,)
    publishing.collect(tx, event, of=row, key=row.patient_id, focus=row.body, carries=carries, ctx=ctx)


async def take(
    tx: Transaction, row: Appointment, candidate: rules.Candidate, *, moving: bool = False
) -> bool:
    """Claim a time for an appointment and write it into the row; tell whether it could be had."""
    had = await queries.claim(tx, [claim_of(row, candidate)], moving=moving)
    if had and moving:
        await queries.count_freed(tx, [row.site])
    if had:
        put_into(row, candidate)
    return had


def claim_of(row: Appointment, candidate: rules.Candidate) -> queries.Claim:
    """Name what an appointment takes: clinician, room and patient."""
    return queries.Claim(
        appointment=row.id,
        resources=(
            rules.person_key(candidate.person),
            rules.room_key(candidate.room),
            patient_key(row.patient_id),
        ),
        span=candidate.span,
    )


def put_into(row: Appointment, candidate: rules.Candidate) -> None:
    """Write a time, a clinician and a room into the row."""
    row.starts_at, row.ends_at = candidate.span
    row.practitioner, row.room = candidate.person, candidate.room


async def free(ctx: Context, tx: Transaction, rows: Sequence[Appointment]) -> None:
    """Give the time of these appointments back and offer it to the waitlist, after this transaction."""
    sites = sorted({row.site for row in rows})
    await queries.release(tx, [row.id for row in rows])
    await queries.count_freed(tx, sites)
    for site in sites:
        await timers.schedule(tx, kind=TimerKind.OFFER, ref=site, due=ctx.at)


def resources_of(need: rules.Need, *, patient_id: str) -> list[str]:
    """Name every resource that a visit could take."""
    people = [rules.person_key(person.id) for person in need.people]
    rooms = [rules.room_key(room.id) for room in need.rooms]
    return [*people, *rooms, patient_key(patient_id)]


def patient_key(patient_id: str) -> str:
    """Name a patient as a resource: nobody is in two places at once."""
    return f"patient/{patient_id}"
