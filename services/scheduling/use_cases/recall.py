"""Ask a coordinator to telephone a patient who missed two visits of a referral in a row.

Invariants:
- A referral has at most one open Task for it. What the clinic books by itself after a miss does not end it:
  nobody has spoken with the patient.
- It ends when a person books or moves a visit, the patient comes, the referral ends, or a coordinator says
  what came of the call; where a miss was recorded by mistake it is withdrawn.
"""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from services.scheduling import fhir, queries, rules, texts
from services.scheduling.models.rows import Appointment, Referral, VisitTask
from services.scheduling.rules.conflicts import TaskEnded
from services.scheduling.states import HERE, AppointmentStatus, ReferralState, VisitTaskStatus
from shared.context import Context
from shared.db import Transaction
from shared.fhir import store
from shared.fhir.codes import TaskCode
from shared.reasons import Reason, as_written

_MISSES = 2


async def follow(ctx: Context, tx: Transaction, row: Appointment, *, referral: Referral) -> None:
    """Open the Task after the second miss in a row, or end it where there are no two any more.

    `row` is the visit whose outcome was recorded or corrected, and written.
    """
    task = await queries.visit_tasks.open_recall(tx, referral.id)
    outcomes = await queries.visit_tasks.last_outcomes(tx, referral.id, at=ctx.at)
    has_missed = len(outcomes) == _MISSES and set(outcomes) == {AppointmentStatus.MISSED}
    if has_missed and task is None and row.status == AppointmentStatus.MISSED:
        if referral.state == ReferralState.OPEN:
            await _open(ctx, tx, row)
    elif task is not None and not has_missed:
        came = row.status in (*HERE, AppointmentStatus.FULFILLED)
        because = Reason.of("patient-came") if came else Reason.of("no-two-missed")
        await _end(ctx, tx, task, because=because)


async def booked_again(ctx: Context, tx: Transaction, row: Appointment) -> None:
    """End the Task, because a person has booked or moved a visit of the referral."""
    task = await queries.visit_tasks.open_recall(tx, row.referral_id)
    if task is not None and row.starts_at is not None:
        await _end(ctx, tx, task, because=Reason.of("booked-after-all", when=row.starts_at))


async def withdraw(ctx: Context, tx: Transaction, referral_id: UUID, *, because: Reason) -> None:
    """End the Task, because the referral has ended."""
    task = await queries.visit_tasks.open_recall(tx, referral_id)
    if task is not None:
        await _end(ctx, tx, task, because=because)


async def complete(
    ctx: Context,
    tx: Transaction,
    task_id: str,
    *,
    sent: Mapping[str, Any],
    expect: Callable[[VisitTask], None],
) -> VisitTask | None:
    """Note what came of the call; None where the caller sees no such Task. Raises TaskEnded, Invalid."""
    task = await queries.visit_tasks.visible_to(tx, ctx.caller, task_id, lock=True)
    if task is None:
        return None
    expect(task)
    words = fhir.visit_tasks.completion(task, sent)
    if words is None:
        return task
    if (why := rules.conflicts.why_not_ended_by_hand(task)) is not None:
        raise TaskEnded.because(why, texts.REASONS, expression="Task.status")
    task.status, task.ended_because = VisitTaskStatus.COMPLETED, [as_written(words)]
    await _save(ctx, tx, task)
    return task


async def _open(ctx: Context, tx: Transaction, row: Appointment) -> None:
    if row.starts_at is None:
        raise LookupError(f"appointment {row.id} has no time that was missed")
    task = VisitTask(
        code=TaskCode.RECALL,
        appointment_id=row.id,
        referral_id=row.referral_id,
        patient_id=row.patient_id,
        site=row.site,
        requester=row.requester,
        starts_at=row.starts_at,
        opened_at=ctx.at,
        due_at=rules.day_book.next_working_day_over(ctx.clinic.site(row.site), now=ctx.at),
    )
    await store.insert(tx, task, fhir.visit_tasks.render(ctx, task), at=ctx.at)


async def _end(ctx: Context, tx: Transaction, task: VisitTask, *, because: Reason) -> None:
    task.status, task.ended_because = VisitTaskStatus.CANCELLED, [because]
    await _save(ctx, tx, task)


async def _save(ctx: Context, tx: Transaction, task: VisitTask) -> None:
    body = fhir.visit_tasks.render(ctx, task)
    await store.update(tx, task, body, at=ctx.at, status=task.status, ended_because=task.ended_because)
