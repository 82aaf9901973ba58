"""What a member does with a plan: all of it by a PUT of its next version."""

from functools import partial

from services.careteam import queries, texts
from services.careteam.fhir.request_parsing import row_id
from services.careteam.rules import acts
from services.careteam.rules.acts import PlanFacts
from services.careteam.rules.teams import TeamHasEnded
from services.careteam.states import PlanState
from shared.context import Context
from shared.db import Transaction
from shared.operations import Operation, OperationTable, Parameter, Subject

ROWS = "patients of the clinician's own teams"
_by_member = partial(
    Operation[PlanFacts],
    kind="update",
    resource_type="CarePlan",
    parties=("clinician",),
    interaction="u",
    rows=ROWS,
    refuses=(TeamHasEnded,),
)
_GOAL = Parameter(
    name="goal", type="Reference", min=1, max="*", text="Goals of the plan, or new ones contained in it."
)
_ACTIVITY = Parameter(name="activity", type="BackboneElement", min=1, max="*", text="What is done.")
_NOTE = Parameter(name="note", type="Annotation", min=1, max="*", text="How the plan ended.")


def _status(status: PlanState) -> Parameter:
    return Parameter(name="status", type="code", min=1, text="Its new status.", values=(status,))


async def _plan(ctx: Context, tx: Transaction, plan_id: str) -> Subject[PlanFacts] | None:
    row = await queries.plans.visible(tx, row_id(plan_id), by=ctx.caller)
    team = None if row is None else await queries.teams.visible(tx, row.team_id, by=ctx.caller)
    return None if row is None or team is None else Subject(row=row, facts=PlanFacts(plan=row, team=team))


PLANS = OperationTable[PlanFacts](
    resource_type="CarePlan",
    rows=queries.scope.TEAM_ROWS,
    load=_plan,
    sentences=texts.REASONS,
    operations=(
        _by_member(
            name="draft",
            text="Write on the draft, before it is activated.",
            parameters=(_status(PlanState.DRAFT),),
            when=partial(acts.may_save, to=PlanState.DRAFT),
        ),
        _by_member(
            name="activate",
            text="Activate the draft: the patient is in the programme.",
            parameters=(_status(PlanState.ACTIVE), _GOAL, _ACTIVITY),
            when=acts.may_activate,
        ),
        _by_member(
            name="revise",
            text="Revise the active plan; a goal that the new version does not name is cancelled.",
            parameters=(_status(PlanState.ACTIVE), _GOAL, _ACTIVITY),
            when=acts.may_revise,
        ),
        _by_member(
            name="complete",
            text="Complete the plan: the patient is discharged, and the team ends.",
            parameters=(_status(PlanState.COMPLETED), _NOTE),
            when=partial(acts.may_save, to=PlanState.COMPLETED),
        ),
    ),
)
