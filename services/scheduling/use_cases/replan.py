"""Hold what is booked against the description of the clinic; a Task of the site names what no longer fits.

No visit is moved unasked. A Task completes itself when nothing of it is left; what a coordinator ends by hand
is not asked again while it stays as it was.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from services.scheduling import fhir, queries, rules, texts
from services.scheduling.models.conflicts import VisitConflict
from services.scheduling.models.rows import ReplanTask
from services.scheduling.models.timer_kinds import TimerKind
from services.scheduling.rules.conflicts import TaskEnded
from services.scheduling.states import ReplanStatus
from shared import timers
from shared.clinic import Site
from shared.context import Context
from shared.db import Transaction
from shared.errors import Conflict, NotFound
from shared.events.catalog import scheduling as events
from shared.events.outbox.publishing import publish
from shared.fhir import store
from shared.reasons import Reason, as_written


class KeptByTheVisit(Conflict):
    """The Task of a guarantee follows from what becomes of its visit."""


async def at_every_site(ctx: Context, tx: Transaction) -> None:
    """Hold all that is booked against the clinic's description, which may be new since the last start."""
    merged = await queries.referrals.merged(tx)
    for site in ctx.clinic.sites:
        await queries.tasks.lock_site(tx, site.id)
        visits = await queries.appointments.to_come_at(tx, site.id, after=ctx.at)
        conflicts = rules.conflicts.of_visits(visits, clinic=ctx.clinic, site=site, merged=merged)
        task = await queries.tasks.open_of(tx, site.id)
        settled = await queries.tasks.settled_of(tx, site.id) if conflicts else []
        await record_conflicts(ctx, tx, site, task, conflicts=conflicts, settled=settled)


async def again(ctx: Context, tx: Transaction, site_id: str) -> None:
    """Take out of a site's open Task what fits again, was moved or called off, or is over."""
    site = next((site for site in ctx.clinic.sites if site.id == site_id), None)
    task = None if site is None else await queries.tasks.open_of(tx, site_id)
    if site is None or task is None:
        return
    named = [conflict.appointment for conflict in task.visits]
    visits = await queries.appointments.to_come_of(tx, named, after=ctx.at)
    merged = await queries.referrals.merged(tx)
    conflicts = rules.conflicts.of_visits(visits, clinic=ctx.clinic, site=site, merged=merged)
    await record_conflicts(ctx, tx, site, task, conflicts=conflicts, settled=())


async def complete(
    ctx: Context,
    tx: Transaction,
    task_id: str,
    *,
    sent: Mapping[str, Any],
    expect: Callable[[ReplanTask], None],
) -> ReplanTask:
    """Complete a Task by hand, with why; raises NotFound, KeptByTheVisit, TaskEnded and Invalid."""
    task = await _for_caller(ctx, tx, task_id)
    expect(task)
    words = fhir.replanning.completion(task, sent)
    if words is None:
        return task
    if (why := rules.conflicts.why_not_ended_by_hand(task)) is not None:
        raise TaskEnded.because(why, texts.REASONS, expression="Task.status")
    task.is_settled = True
    await _end(ctx, tx, task, because=as_written(words))
    return task


async def _for_caller(ctx: Context, tx: Transaction, task_id: str) -> ReplanTask:
    task = await queries.tasks.visible_to(tx, ctx.caller, task_id, lock=True)
    if task is not None:
        return task
    if await queries.guarantees.visible_to(tx, ctx.caller, task_id) is not None:
        why = Reason.of("kept-by-the-visit")
        raise KeptByTheVisit.because(why, texts.REASONS, expression="Task.code")
    raise NotFound(f"there is no Task/{task_id[:64]}")


async def record_conflicts(
    ctx: Context,
    tx: Transaction,
    site: Site,
    task: ReplanTask | None,
    *,
    conflicts: Sequence[VisitConflict],
    settled: Sequence[VisitConflict],
) -> None:
    """Bring a site's Task to the conflicts that there are now, and publish what is new."""
    changed = rules.conflicts.replanning(conflicts, named=task.visits if task else (), settled=settled)
    if changed is None:
        return
    row = task or ReplanTask(site=site.id, opened_at=ctx.at)
    row.visits = list(changed.visits)
    if not changed.visits:
        await _end(ctx, tx, row, because=Reason.of("nothing-left"))
        return
    await _save(ctx, tx, row)
    if changed.has_news:
        await _publish(ctx, tx, row, events.ConflictsFound)
    due = min(conflict.starts_at for conflict in row.visits)
    await timers.schedule(tx, kind=TimerKind.RECHECK, ref=site.id, due=due)


async def _end(ctx: Context, tx: Transaction, task: ReplanTask, *, because: Reason) -> None:
    task.status, task.ended_because = ReplanStatus.COMPLETED, [because]
    await _save(ctx, tx, task)
    await timers.cancel(tx, kind=TimerKind.RECHECK, ref=task.site)
    await _publish(ctx, tx, task, events.ConflictsResolved)


async def _save(ctx: Context, tx: Transaction, task: ReplanTask) -> None:
    body = fhir.replanning.render(ctx, task)
    if task.version:
        names = ("status", "visits", "ended_because", "is_settled")
        await store.update(tx, task, body, at=ctx.at, **{name: getattr(task, name) for name in names})
    else:
        await store.insert(tx, task, body, at=ctx.at)


async def _publish(ctx: Context, tx: Transaction, task: ReplanTask, event: type[events.ReplanEvent]) -> None:
    await publish(ctx, tx, task, event(patient_id=None, referral_id=None, resources=(task.body,)))
