"""What its owner does with an action; a case is decided at its meeting."""

from functools import partial

from services.careteam import queries, texts
from services.careteam.fhir.request_parsing import row_id
from services.careteam.models.rows import CareTask
from services.careteam.rules import acts
from services.careteam.states import ActionState
from services.careteam.use_cases.update_action import DecidedAtAMeeting, NotTheOwner
from shared.context import Context
from shared.db import Transaction
from shared.operations import Operation, OperationTable, Parameter, Subject

ROWS = "actions that the caller owns"
_WHY = Parameter(name="statusReason", type="CodeableConcept", min=1, text="Why, in its `text`.")
_STATUS_OF_VERB = {
    "accept": (ActionState.ACCEPTED, "Say that the action will be done."),
    "start": (ActionState.IN_PROGRESS, "Begin with the action."),
    "complete": (ActionState.COMPLETED, "Say that the action is done."),
    "reject": (ActionState.REJECTED, "Hand the action back; the case goes on the next agenda."),
}


async def _task(ctx: Context, tx: Transaction, task_id: str) -> Subject[CareTask] | None:
    row = await queries.tasks.visible(tx, row_id(task_id), by=ctx.caller)
    return None if row is None else Subject(row=row, facts=row)


def _change(verb: str, status: ActionState, text: str) -> Operation[CareTask]:
    wanted = Parameter(name="status", type="code", min=1, text="The new status.", values=(status,))
    return Operation[CareTask](
        name=verb,
        kind="update",
        resource_type="Task",
        parties=("clinician", "coordinator"),
        interaction="u",
        rows=ROWS,
        text=text,
        parameters=(wanted, _WHY) if status is ActionState.REJECTED else (wanted,),
        refuses=(NotTheOwner, DecidedAtAMeeting),
        when=partial(acts.may_update, to=status),
    )


TASKS = OperationTable[CareTask](
    resource_type="Task",
    rows=queries.scope.TASK_ROWS,
    load=_task,
    sentences=texts.REASONS,
    operations=tuple(_change(verb, status, text) for verb, (status, text) in _STATUS_OF_VERB.items()),
)
