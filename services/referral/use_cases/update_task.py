"""A coordinator works through Tasks; what the life cycle owns is changed by its commands only."""

from collections.abc import Callable, Mapping
from typing import Any

from services.referral import queries, rules
from services.referral.models import Referral, Task
from services.referral.states import State
from services.referral.use_cases.emergency import end_emergency
from services.referral.use_cases.recording import as_uuid
from shared.context import Context
from shared.db import Transaction
from shared.errors import Conflict, Forbidden, Invalid, NotFound
from shared.fhir import store
from shared.fhir.codes import TaskCode

_BY_HAND = (
    TaskCode.TELEPHONE_REFERRER,
    TaskCode.RESOLVE_DENIAL,
    TaskCode.MERGE_DUPLICATE,
    TaskCode.REVIEW_REFERRAL,
)
_DECISIVE = {
    TaskCode.MERGE_DUPLICATE: (State.DUPLICATE_SUSPECTED, "$merge or $accept"),
    TaskCode.REVIEW_REFERRAL: (State.AWAITING_REVIEW, "$accept, $decline or $request-information"),
}
# What a PUT may change; everything else of a Task is ours.
_OPEN_MEMBERS = ("status", "statusReason", "note", "output", "executionPeriod")


class NotByHand(Forbidden):
    """The Task is kept by the life cycle or belongs to somebody else."""


class AnotherTask(Invalid):
    """The body is another Task than the address."""


class DecideFirst(Conflict):
    """The Task asks for a decision, which has a command of its own."""


async def update_task(
    ctx: Context, tx: Transaction, task_id: str, *, wanted: Mapping[str, Any], expect: Callable[[Task], None]
) -> Task:
    """Change the status of a Task that people work on; completing the telephone Task ends the escalation."""
    task = await _load(ctx, tx, task_id)
    if wanted.get("id") != str(task.id):
        raise AnotherTask("the id in the body and in the address differ", expression="Task.id")
    expect(task)
    if task.code not in _BY_HAND:
        raise NotByHand("this Task is kept by the referral's own commands", expression="Task.code")
    status = str(wanted.get("status"))
    if status != task.status:
        rules.check_task_step(task.status, status)
        await _check_decided(tx, task, status)
    overlay = {name: wanted[name] for name in _OPEN_MEMBERS if name in wanted}
    task.status = status
    await store.put(tx, task, task.body, at=ctx.at, overlay=overlay)
    if task.code == TaskCode.TELEPHONE_REFERRER and status == "completed":
        await _telephoned(ctx, tx, task)
    return task


async def _load(ctx: Context, tx: Transaction, task_id: str) -> Task:
    key, task = as_uuid(task_id), None
    if key is not None:
        seen = await tx.get(Task, key)
        if seen is not None:
            # The referral's row is always locked before its Tasks.
            await tx.get(Referral, seen.referral_id, lock=True)
        task = await queries.task_visible_to(tx, ctx.caller, key)
    if task is None:
        raise NotFound(f"there is no Task {task_id}")
    return task


async def _check_decided(tx: Transaction, task: Task, status: str) -> None:
    if task.code not in _DECISIVE or status not in ("completed", "cancelled"):
        return
    waiting, commands = _DECISIVE[TaskCode(task.code)]
    referral = await tx.get(Referral, task.referral_id)
    if referral is not None and referral.state == waiting:
        raise DecideFirst(f"the referral still waits for the decision: {commands}", expression="Task.status")


async def _telephoned(ctx: Context, tx: Transaction, task: Task) -> None:
    referral = await tx.get(Referral, task.referral_id, lock=True)
    if referral is not None and referral.unacknowledged:
        await end_emergency(ctx, tx, referral, how="The clinic reached the referrer by telephone.")
