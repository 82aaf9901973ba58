"""What a coordinator does with a Task."""

from functools import partial

from services.referral import queries, texts
from services.referral.rules import work
from services.referral.rules.steps import Refused
from services.referral.rules.work import WorkItem
from services.referral.use_cases.referral_file import NoReason
from services.referral.use_cases.update_task import AnotherTask, DecideFirst, NotByHand
from shared.context import Context
from shared.db import Transaction
from shared.operations import Operation, OperationTable, Parameter, Subject

_WHY = Parameter(name="statusReason", type="CodeableConcept", min=1, text="Why, in its `text`.")
# What a coordinator does with a Task by giving it a status.
_STATUS_OF_VERB = {
    "receive": ("received", "Take a Task up that was handed back."),
    "accept": ("accepted", "Say that the Task will be done."),
    "start": ("in-progress", "Begin with the Task."),
    "hold": ("on-hold", "Let the Task rest."),
    "complete": ("completed", "Say that the Task is done."),
    "reject": ("rejected", "Hand the Task back."),
    "fail": ("failed", "Say that the Task could not be done."),
    "cancel": ("cancelled", "Say that the Task need not be done."),
}


async def _work(ctx: Context, tx: Transaction, task_id: str) -> Subject[WorkItem] | None:
    task = await queries.tasks.visible_to(tx, ctx.caller, task_id)
    referral = None if task is None else await queries.referrals.by_id(tx, task.referral_id)
    if task is None or referral is None:
        return None
    zone = ctx.clinic.site(referral.site).zone
    return Subject(row=task, facts=WorkItem(task=task, referral=referral), zone=zone)


TASKS = OperationTable[WorkItem](
    resource_type="Task",
    rows=queries.scope.ROWS,
    load=_work,
    sentences=texts.REASONS,
    words=texts.words_of,
    operations=tuple(
        Operation[WorkItem](
            name=verb,
            kind="update",
            resource_type="Task",
            parties=("coordinator",),
            interaction="u",
            rows="the Tasks of the coordinator's site",
            text=text,
            parameters=(
                Parameter(name="status", type="code", min=1, text="The new status.", values=(status,)),
                *((_WHY,) if verb == "reject" else ()),
            ),
            refuses=(NotByHand, AnotherTask, DecideFirst, NoReason, Refused),
            when=partial(work.may_change, status=status),
        )
        for verb, (status, text) in _STATUS_OF_VERB.items()
    ),
)
