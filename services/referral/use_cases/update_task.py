"""A coordinator works through Tasks; what the life cycle owns is changed by its commands only."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from services.referral import fhir, queries, rules
from services.referral.models.rows import Referral, Task
from services.referral.use_cases import record, redirect, referral_file
from services.referral.use_cases.changes import Changes
from services.referral.use_cases.referral_file import NoReason
from shared.context import Context
from shared.db import Transaction
from shared.errors import Conflict, Forbidden, Invalid, NotFound
from shared.fhir import store
from shared.fhir.codes import TaskCode
from shared.fhir.elements import same
from shared.reasons import Reason

# What a PUT may change; everything else of a Task is ours.
_OPEN_MEMBERS = ("status", "statusReason", "note", "output", "executionPeriod")


class NotByHand(Forbidden):
    """The Task is kept by the life cycle or belongs to somebody else."""


class AnotherTask(Invalid):
    """The body is another Task than the address."""


class DecideFirst(Conflict):
    """The Task asks for a decision, which has a command of its own."""


async def run(
    ctx: Context, tx: Transaction, task_id: str, *, wanted: Mapping[str, Any], expect: Callable[[Task], None]
) -> Task:
    """Change the status of a Task that people work on; completing the telephone Task ends the escalation.

    A Task that is handed back says why; where nothing differs, nothing is written.
    """
    task, referral = await _load(ctx, tx, task_id)
    if wanted.get("id") != str(task.id):
        raise AnotherTask("the id in the body and in the address differ", expression="Task.id")
    expect(task)
    status = str(wanted.get("status"))
    item = rules.work.WorkItem(task=task, referral=referral)
    _check(rules.work.may_change(ctx, item, status=status))
    overlay = {name: wanted[name] for name in _OPEN_MEMBERS if name in wanted}
    stored = msgspec.json.decode(task.body)
    if all(same(stored.get(name), value, urls=ctx.urls) for name, value in overlay.items()):
        return task
    if status == "rejected" != task.status:
        overlay["statusReason"] = _rejection(wanted.get("statusReason", {}), stored=stored)
    await store.update(tx, task, task.body, at=ctx.at, overlay=overlay, status=status)
    if task.code == TaskCode.TELEPHONE_REFERRER and status == "completed":
        await _telephoned(ctx, tx, referral)
    return task


async def _load(ctx: Context, tx: Transaction, task_id: str) -> tuple[Task, Referral]:
    seen = await queries.tasks.visible_to(tx, ctx.caller, task_id)
    # The referral's row is always locked before its Tasks.
    referral = None if seen is None else await queries.referrals.locked(tx, seen.referral_id)
    task = seen and await queries.tasks.visible_to(tx, ctx.caller, seen.id, lock=True)
    if task is None or referral is None:
        raise NotFound(f"there is no Task {task_id}")
    return task, referral


def _check(reason: Reason | None) -> None:
    if reason is not None and reason.code == "kept-by-commands":
        rules.steps.check(reason, refusal=NotByHand, of="Task.code")
    decides = reason is not None and reason.code in ("merge-or-accept-first", "review-first")
    rules.steps.check(reason, refusal=DecideFirst if decides else rules.steps.Refused, of="Task.status")


def _rejection(stated: Mapping[str, Any], *, stored: Mapping[str, Any]) -> dict[str, Any]:
    """Read why a Task is handed back; the reason for which it was opened, sent back, is none."""
    words = str(stated.get("text", "")).strip()
    if not words or words == stored.get("statusReason", {}).get("text"):
        raise NoReason("handing a Task back needs a reason", expression="Task.statusReason.text")
    return fhir.task.rejection(stated, words=words)


async def _telephoned(ctx: Context, tx: Transaction, referral: Referral) -> None:
    if referral.unacknowledged:
        changes = Changes(ctx, await referral_file.load(tx, referral))
        redirect.end(changes, how=[Reason.of("referrer-telephoned")])
        await record.run(ctx, tx, changes)
