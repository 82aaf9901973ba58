"""Ask a coordinator to tell a patient the day that the plan found, and note that it was told.

Invariants:
- A first visit that an evening gave a time has one open Task from then on; what is told is ticked by hand.
- An open Task says the time that the visit has, and ends when the visit is called off or the patient came.
"""

from collections.abc import Callable, Mapping
from typing import Any

from services.scheduling import fhir, queries, rules, texts
from services.scheduling.models.rows import Appointment, Referral, TellingTask
from services.scheduling.rules.conflicts import TaskEnded
from services.scheduling.states import HERE, AppointmentStatus, VisitTaskStatus
from shared.context import Context
from shared.db import Transaction
from shared.fhir import store
from shared.fhir.search_values import as_uuid
from shared.reasons import Reason


async def ask(ctx: Context, tx: Transaction, row: Appointment, *, referral: Referral) -> None:
    """Open the Task for a first visit that an evening gave a time."""
    if row.starts_at is None:
        raise LookupError(f"appointment {row.id} has no time to tell")
    task = TellingTask(
        appointment_id=row.id,
        referral_id=referral.id,
        patient_id=row.patient_id,
        site=row.site,
        requester=row.requester,
        starts_at=row.starts_at,
        opened_at=ctx.at,
        due_at=min(
            row.starts_at, rules.day_book.next_working_day_over(ctx.clinic.site(row.site), now=ctx.at)
        ),
    )
    await store.insert(tx, task, fhir.telling.render(ctx, task), at=ctx.at)


async def follow(ctx: Context, tx: Transaction, row: Appointment) -> None:
    """Bring the open Task of a first visit, if there is one, to what the visit has become."""
    task = await queries.tasks.open_telling(tx, row.id)
    if task is None or (row.status == AppointmentStatus.BOOKED and row.starts_at == task.starts_at):
        return
    if row.status == AppointmentStatus.BOOKED and row.starts_at is not None:
        task.starts_at, task.due_at = row.starts_at, min(row.starts_at, task.due_at)
    else:
        came = row.status in (*HERE, AppointmentStatus.FULFILLED)
        ended = Reason.of("patient-came") if came else Reason.of("visit-does-not-stand")
        task.status, task.ended_because = VisitTaskStatus.CANCELLED, [ended]
    await _save(ctx, tx, task)


async def complete(
    ctx: Context,
    tx: Transaction,
    task_id: str,
    *,
    sent: Mapping[str, Any],
    expect: Callable[[TellingTask], None],
) -> TellingTask | None:
    """Note that the patient was told; None where the caller sees no such Task. Raises TaskEnded, Invalid."""
    wanted = as_uuid(task_id)
    if wanted is None or await queries.tasks.telling_visible_to(tx, ctx.caller, wanted) is None:
        return None
    task = await queries.tasks.telling_locked(tx, wanted)
    if task is None:
        return None
    expect(task)
    if not fhir.telling.completion(task, sent):
        return task
    if (why := rules.conflicts.why_not_ended_by_hand(task)) is not None:
        raise TaskEnded.because(why, texts.REASONS, expression="Task.status")
    task.status, task.ended_because = VisitTaskStatus.COMPLETED, [Reason.of("patient-told")]
    await _save(ctx, tx, task)
    return task


async def _save(ctx: Context, tx: Transaction, task: TellingTask) -> None:
    names = ("status", "starts_at", "due_at", "ended_because")
    body = fhir.telling.render(ctx, task)
    await store.update(tx, task, body, at=ctx.at, **{name: getattr(task, name) for name in names})
