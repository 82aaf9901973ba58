"""What a member does with a goal: its words, its target and its lifecycle, by a PUT."""

from functools import partial

from services.careteam import queries, texts
from services.careteam.fhir.request_parsing import row_id
from services.careteam.operations.plans import ROWS
from services.careteam.rules import acts
from services.careteam.rules.acts import GoalFacts
from services.careteam.rules.teams import TeamHasEnded
from services.careteam.states import GoalState
from shared.context import Context
from shared.db import Transaction
from shared.operations import Operation, OperationTable, Parameter, Subject

_STATUS_OF_VERB = {
    "propose": (GoalState.PROPOSED, "Write on a goal that is proposed."),
    "activate": (GoalState.ACTIVE, "Pursue a goal, or go on with it."),
    "hold": (GoalState.ON_HOLD, "Let a goal rest."),
    "complete": (GoalState.COMPLETED, "End a goal that was pursued to its end."),
    "cancel": (GoalState.CANCELLED, "Give a goal up."),
}


async def _goal(ctx: Context, tx: Transaction, goal_id: str) -> Subject[GoalFacts] | None:
    row = await queries.plans.goal_visible(tx, row_id(goal_id), by=ctx.caller)
    team = None if row is None else await queries.teams.visible(tx, row.team_id, by=ctx.caller)
    return None if row is None or team is None else Subject(row=row, facts=GoalFacts(goal=row, team=team))


def _change(verb: str, status: GoalState, text: str) -> Operation[GoalFacts]:
    wanted = Parameter(
        name="lifecycleStatus", type="code", min=1, text="The new lifecycle status.", values=(status,)
    )
    return Operation[GoalFacts](
        name=verb,
        kind="update",
        resource_type="Goal",
        parties=("clinician",),
        interaction="u",
        rows=ROWS,
        text=text,
        parameters=(wanted,),
        refuses=(TeamHasEnded,),
        when=partial(acts.may_change_goal, to=status),
    )


GOALS = OperationTable[GoalFacts](
    resource_type="Goal",
    rows=queries.scope.TEAM_ROWS,
    load=_goal,
    sentences=texts.REASONS,
    operations=tuple(_change(verb, status, text) for verb, (status, text) in _STATUS_OF_VERB.items()),
)
