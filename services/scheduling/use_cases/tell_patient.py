"""Ask a coordinator to telephone a patient about a visit, and note that it was done.

Invariants:
- A first visit whose time nobody chose with its patient has one open Task from then on, and so has one of
  which no message arrived or whose patient asks for another time: one of each visit. It is ticked by hand, or
  ends as a message arrives.
- An open Task says the time that the visit has, and ends when the visit is called off or the patient came.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from services.scheduling import fhir, queries, rules, texts
from services.scheduling.models.rows import Appointment, TellingTask
from services.scheduling.rules.conflicts import TaskEnded
from services.scheduling.states import HERE, AppointmentStatus, VisitTaskStatus
from shared.context import Context
from shared.db import Transaction
from shared.fhir import store
from shared.reasons import Reason

# What a message that arrives does not settle.
_ASKED = frozenset({"asks-for-another-time"})


async def ask(ctx: Context, tx: Transaction, row: Appointment) -> None:
    """Open the Task for a first visit that an evening gave a time."""
    await _open(ctx, tx, row)


async def telephone(
    ctx: Context, tx: Transaction, row: Appointment, *, because: Reason, words: str | None = None
) -> None:
    """See that a patient is telephoned for this reason: by the open Task of the visit, or by a new one."""
    task = await queries.tasks.open_telling(tx, row.id)
    if task is None:
        await _open(ctx, tx, row, because=[because], words=words)
    elif because not in task.because:
        task.because, task.words = [*task.because, because], words or task.words
        await _save(ctx, tx, task)


async def was_told(ctx: Context, tx: Transaction, appointment_id: UUID) -> None:
    """End the Task that only asks to tell what a message has told now; another reason goes on."""
    task = await queries.tasks.open_telling(tx, appointment_id)
    if task is not None and not any(one.code in _ASKED for one in task.because):
        task.status, task.ended_because = VisitTaskStatus.COMPLETED, [Reason.of("message-arrived")]
        await _save(ctx, tx, task)


def asks(ctx: Context, rows: Iterable[Appointment]) -> list[TellingTask]:
    """Make the Tasks of new first visits that have a time, written with them."""
    tasks = [_task(ctx, row) for row in rows if row.status == AppointmentStatus.BOOKED]
    for task in tasks:
        store.fill(task, fhir.telling.render(ctx, task), at=ctx.at)
    return tasks


async def _open(
    ctx: Context,
    tx: Transaction,
    row: Appointment,
    *,
    because: Sequence[Reason] = (),
    words: str | None = None,
) -> None:
    task = _task(ctx, row, because=because, words=words)
    await store.insert(tx, task, fhir.telling.render(ctx, task), at=ctx.at)


def _task(
    ctx: Context, row: Appointment, *, because: Sequence[Reason] = (), words: str | None = None
) -> TellingTask:
    if row.starts_at is None:
        raise LookupError(f"appointment {row.id} has no time to tell")
    return TellingTask(
        appointment_id=row.id,
        referral_id=row.referral_id,
        patient_id=row.patient_id,
        site=row.site,
        requester=row.requester,
        starts_at=row.starts_at,
        opened_at=ctx.at,
        due_at=min(
            row.starts_at, rules.day_book.next_working_day_over(ctx.clinic.site(row.site), now=ctx.at)
        ),
        because=list(because),
        words=words,
    )


async def follow(ctx: Context, tx: Transaction, rows: Sequence[Appointment]) -> None:
    """Bring the open Tasks of these visits to what they have become."""
    visits = {row.id: row for row in rows}
    for task in await queries.tasks.open_tellings(tx, list(visits)):
        await _follow(ctx, tx, task, row=visits[task.appointment_id])


async def _follow(ctx: Context, tx: Transaction, task: TellingTask, *, row: Appointment) -> None:
    if row.status == AppointmentStatus.BOOKED and row.starts_at == task.starts_at:
        return
    if row.status == AppointmentStatus.BOOKED and row.starts_at is not None:
        task.starts_at, task.due_at = row.starts_at, min(row.starts_at, task.due_at)
        # What was asked for has been given: what is left is to tell the new time.
        task.because, task.words = [], None
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
    task = await queries.tasks.telling_visible_to(tx, ctx.caller, task_id, lock=True)
    if task is None:
        return None
    expect(task)
    if not fhir.tasks.completion(task, sent):
        return task
    if (why := rules.conflicts.why_not_ended_by_hand(task)) is not None:
        raise TaskEnded.because(why, texts.REASONS, expression="Task.status")
    task.status, task.ended_because = VisitTaskStatus.COMPLETED, [Reason.of("patient-told")]
    await _save(ctx, tx, task)
    return task


async def _save(ctx: Context, tx: Transaction, task: TellingTask) -> None:
    names = ("status", "starts_at", "due_at", "because", "words", "ended_because")
    body = fhir.telling.render(ctx, task)
    await store.update(tx, task, body, at=ctx.at, **{name: getattr(task, name) for name in names})
