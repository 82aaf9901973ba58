"""Ask in the morning for what nobody recorded of the day before, whoever led the visit.

Invariants:
- A visit that is over and stands unrecorded has one open Task from the next morning on.
- The Task ends when the visit is recorded, called off or moved; nobody ends it by hand.
"""

from collections.abc import Sequence
from datetime import datetime, time

from services.scheduling import fhir, queries, rules
from services.scheduling.models.rows import Appointment, VisitTask
from services.scheduling.models.timer_kinds import TimerKind
from services.scheduling.states import STANDING, AppointmentStatus, VisitTaskStatus
from shared import timers
from shared.clinic import Site
from shared.context import Context
from shared.db import Transaction
from shared.fhir import store
from shared.fhir.codes import TaskCode
from shared.reasons import Reason

# Before the first visit of a day, and after everybody had the evening to record.
_IN_THE_MORNING = time(7)
_RECORDED = (AppointmentStatus.FULFILLED, AppointmentStatus.MISSED)


async def start_mornings(ctx: Context, tx: Transaction) -> None:
    """Set the timer of each site for its next morning, where none is set."""
    for site in ctx.clinic.sites:
        await timers.schedule_once(tx, kind=TimerKind.RECORD, ref=site.id, due=_next_morning(ctx.at, site))


async def run(ctx: Context, tx: Transaction, site_id: str) -> None:
    """Open a Task for each visit of the days before that nobody recorded, and set the next morning's timer.

    A site that the clinic no longer has is left alone.
    """
    site = next((one for one in ctx.clinic.sites if one.id == site_id), None)
    if site is None:
        return
    await timers.schedule(tx, kind=TimerKind.RECORD, ref=site_id, due=_next_morning(ctx.at, site))
    today = ctx.at.astimezone(site.zone).date()
    begins = rules.calendar.local_day_start(today, site.zone)
    due = rules.calendar.local_day_end(today, site.zone)
    visits = await queries.visit_tasks.unrecorded(tx, site_id, until=begins)
    tasks = [_task(ctx, row, due=due) for row in visits]
    if tasks:
        await tx.insert(*tasks)


async def follow(ctx: Context, tx: Transaction, rows: Sequence[Appointment]) -> None:
    """End the open Tasks of those of these visits about which there is nothing to record any more."""
    done = {row.id: row for row in rows if not _is_over_and_open(row, ctx.at)}
    for task in await queries.visit_tasks.to_record(tx, list(done)) if done else ():
        is_recorded = done[task.appointment_id].status in _RECORDED
        because = Reason.of("visit-recorded") if is_recorded else Reason.of("nothing-to-record")
        task.status = VisitTaskStatus.COMPLETED if is_recorded else VisitTaskStatus.CANCELLED
        task.ended_because = [because]
        body = fhir.visit_tasks.render(ctx, task)
        await store.update(tx, task, body, at=ctx.at, status=task.status, ended_because=task.ended_because)


def _is_over_and_open(row: Appointment, at: datetime) -> bool:
    return row.status in STANDING and row.ends_at is not None and row.ends_at <= at


def _task(ctx: Context, row: Appointment, *, due: datetime) -> VisitTask:
    if row.starts_at is None:
        raise LookupError(f"appointment {row.id} has no time to record")
    task = VisitTask(
        code=TaskCode.RECORD_VISIT,
        appointment_id=row.id,
        referral_id=row.referral_id,
        patient_id=row.patient_id,
        site=row.site,
        requester=row.requester,
        owner=row.practitioner,
        starts_at=row.starts_at,
        opened_at=ctx.at,
        due_at=due,
    )
    store.fill(task, fhir.visit_tasks.render(ctx, task), at=ctx.at)
    return task


def _next_morning(now: datetime, site: Site) -> datetime:
    return rules.calendar.next_at(_IN_THE_MORNING, now=now, zone=site.zone)
