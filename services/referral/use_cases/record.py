"""Write what a verb has decided about a referral, table by table, and publish its events.

Invariants:
- Whoever calls this holds the referral's lock, or the referral is new.
- The process Task is rendered once for each state in which the referral stood, and skips none; where it says
  what it said, there is no new version.
- Events are published in the order in which they were decided, with the bytes that were just written.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from sqlmodel import SQLModel

from services.referral import fhir, queries
from services.referral.models.rows import Claim, Enclosure, Referral, Task
from services.referral.states import TASK_STATUS, State
from services.referral.use_cases import merged
from services.referral.use_cases.changes import Announcement, Body, Carried, Changes
from services.referral.use_cases.referral_file import decoded
from shared import timers
from shared.context import Context
from shared.db import Transaction
from shared.db.models import Resource
from shared.events.outbox.publishing import Publication, publish_all, publish_first
from shared.fhir import store
from shared.timers import Timer

# What the resource's own bytes hold beside the columns.
_STEP = ("state", "state_since", "reason", "turn", "sessions", "team", "first_seen_at", "care_began_at")
_BETWEEN = {("on-hold", "rejected"): "received", ("on-hold", "completed"): "in-progress"}
Written = tuple[Task | Claim, Body | None, Body]
_OWN = frozenset({"version", "last_updated", "body"})


async def run(ctx: Context, tx: Transaction, changes: Changes) -> Referral:
    """Record a decision about a referral that the database has."""
    await _write_referral(ctx, tx, changes)
    await _write_passed(ctx, tx, changes)
    sent = changes.file.sent_task
    await write_process_task(ctx, tx, changes.referral, changes.process_task, sent=sent)
    await rest(ctx, tx, changes)
    if changes.referral.has_duplicates:
        await merged.go_along(ctx, tx, changes)
    return changes.referral


async def new(
    ctx: Context,
    tx: Transaction,
    changes: Changes,
    *,
    patient: Sequence[SQLModel],
    came_with: Sequence[SQLModel],
) -> None:
    """Record a new referral, its `patient` where that is new too, and what came with it, all of it filled.

    Its Task was received first. Many rows are written table by table: what others refer to comes first.
    """
    referral, task = changes.referral, changes.process_task
    earlier = []
    sent = [changes.file.sent_task]
    for passed in changes.file.passed:
        store.fill(task, fhir.task.process_task(passed, clinic=ctx.clinic, sent=sent), at=ctx.at)
        earlier.append(store.earlier_version(task))
    store.fill(task, fhir.task.process_task(referral, clinic=ctx.clinic, sent=sent), at=ctx.at)
    task.status = TASK_STATUS[State(referral.state)]
    task.identifiers = _identifiers(referral, decoded(task.body))
    task.site, task.requester = referral.site, referral.requester
    work = [*_filled(ctx, changes.claims.values()), *_filled(ctx, changes.tasks.values())]
    enclosed = _enclosed(ctx, changes)
    publications = [_publication(ctx, announced) for announced in changes.announcements]
    await publish_first(tx, publications, *patient, referral, *came_with, task, *earlier, *work, *enclosed)
    await _set_timers(tx, changes)


async def steps(tx: Transaction, followed: Sequence[Changes]) -> None:
    """Record steps of many referrals that change neither a ServiceRequest nor other rows: each table once."""
    await tx.update_all([changes.referral for changes in followed], *_STEP)
    tasks = []
    for changes in followed:
        ctx = changes.ctx
        await _write_passed(ctx, tx, changes)
        task, referral = changes.process_task, changes.referral
        before = task.version
        task.status = TASK_STATUS[State(referral.state)]
        sent = [decoded(task.body)]
        store.fill(task, fhir.task.process_task(referral, clinic=ctx.clinic, sent=sent), at=ctx.at)
        tasks.append((task, before))
    await store.update_all(tx, tasks, "status")


async def _write_passed(ctx: Context, tx: Transaction, changes: Changes) -> None:
    """Write the Task as the referral stood for a moment, so that its history skips no step."""
    for passed in changes.file.passed:
        await write_process_task(ctx, tx, passed, changes.process_task)
    changes.file.passed.clear()
    changes.file.moved = False


async def write_process_task(
    ctx: Context, tx: Transaction, referral: Referral, task: Task, *, sent: Body | None = None
) -> None:
    """Write the process Task as the referral now stands; it keeps what the sender's own Task said, and `sent`
    says anew.

    FHIR knows no step from on-hold to rejected or completed: what was on hold is taken up again first.
    """
    status, sent = TASK_STATUS[State(referral.state)], sent or {}
    body = fhir.task.process_task(referral, clinic=ctx.clinic, sent=[decoded(task.body), sent])
    between = _BETWEEN.get((task.status, status))
    if between is not None:
        await store.update(tx, task, body, at=ctx.at, overlay={"status": between}, status=between)
    identifiers = _identifiers(referral, body)
    is_as_before = (status, identifiers) == (task.status, task.identifiers)
    if is_as_before and fhir.content.same(task.body, msgspec.json.encode(body)):
        return
    await store.update(tx, task, body, at=ctx.at, status=status, identifiers=identifiers)


def _identifiers(referral: Referral, body: Body) -> list[str]:
    """Return what a process Task is found by: what the referral is called, and the Task itself."""
    return list(dict.fromkeys([*referral.identifiers, *fhir.reading.tokens(body["identifier"])]))


async def _write_referral(ctx: Context, tx: Transaction, changes: Changes) -> None:
    referral, before = changes.referral, changes.file.before
    if before is None:
        raise LookupError(f"referral {referral.id} is new")
    changed = _differences(before, referral)
    if "status" in changed:
        overlay = {"status": referral.status}
        await store.update(tx, referral, referral.body, at=ctx.at, overlay=overlay, **changed)
    elif changed:
        await tx.update(referral, **changed)
    if "site" in changed:
        await queries.tasks.go_to_site(tx, referral.id, site=referral.site)
    changes.file.before = referral.model_copy()


def _differences(before: Referral, after: Referral) -> dict[str, Any]:
    return {
        name: value
        for name in Referral.model_fields
        if name not in _OWN and (value := getattr(after, name)) != getattr(before, name)
    }


async def rest(ctx: Context, tx: Transaction, changes: Changes) -> None:
    """Write everything of a decision but the referral and its process Task."""
    await _write_all(ctx, tx, changes.claims.values())
    for response, raw, overlay in changes.responses:
        await store.insert(tx, response, raw, at=ctx.at, overlay=overlay)
    await _write_all(ctx, tx, changes.tasks.values())
    await tx.insert(*_enclosed(ctx, changes))
    await publish_all(tx, [_publication(ctx, announced) for announced in changes.announcements])
    await _set_timers(tx, changes)


async def _set_timers(tx: Transaction, changes: Changes) -> None:
    ref = str(changes.referral.id)
    due = [Timer(kind=kind, ref=ref, due_at=at) for kind, at in changes.timers.items() if at is not None]
    await timers.schedule_all(tx, due)
    await timers.cancel_all(tx, [(kind, ref) for kind, at in changes.timers.items() if at is None])


async def _write_all(ctx: Context, tx: Transaction, wanted: Iterable[Written]) -> None:
    """Insert what is new, and give the rest its next version with all columns that verbs change."""
    rows = list(wanted)
    new = _filled(ctx, rows)
    # What ends makes room for what is opened: of a kind at most one Task is open.
    for row, given, overlay in rows:
        if any(row is made for made in new):
            continue
        if given is None and not overlay:
            await tx.update(row, **_columns(row))
        else:
            body: Body | bytes = row.body if given is None else given
            await store.update(tx, row, body, at=ctx.at, overlay=overlay, **_columns(row))
    await tx.insert(*new)


def _filled(ctx: Context, wanted: Iterable[Written]) -> list[Task | Claim]:
    """Fill the rows that are new, and return them."""
    new = [(row, body or {}, overlay) for row, body, overlay in wanted if not row.version]
    for row, body, overlay in new:
        store.fill(row, body, at=ctx.at, overlay=overlay)
    return [row for row, _, _ in new]


def _enclosed(ctx: Context, changes: Changes) -> list[Enclosure]:
    """Fill what is enclosed, and return it."""
    for row, body in changes.enclosures:
        store.fill(row, body, at=ctx.at)
    return [row for row, _ in changes.enclosures]


def _columns(row: Task | Claim) -> dict[str, Any]:
    if isinstance(row, Task):
        return {"status": row.status, "due_at": row.due_at}
    return {"status": row.status, "standing": row.standing, "consented": row.consented}


def _publication(ctx: Context, announced: Announcement) -> Publication:
    of = announced.of
    referral_id = of.id if isinstance(of, Referral) else of.referral_id
    event = announced.event(
        patient_id=str(of.patient_id),
        referral_id=str(referral_id),
        resources=(of.body, *(_bytes_of(carried) for carried in announced.carries)),
    )
    return Publication(ctx=ctx, of=of, event=event)


def _bytes_of(carried: Carried) -> Body | bytes:
    return carried.body if isinstance(carried, Resource) else carried
