"""End a team: everything of it that is open ends with it."""

from collections.abc import Iterable

from services.careteam import fhir, queries, rules
from services.careteam.models.rows import Goal, Plan, Team
from services.careteam.states import LIVE_GOALS, ActionState, CaseState, GoalState, TeamState
from services.careteam.use_cases import record
from services.careteam.use_cases.assign_action import OVERDUE
from services.careteam.use_cases.review_progress import cancel_reviews
from shared import timers
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog.careteam import CareTeamChanged
from shared.fhir.instants import to_the_second
from shared.reasons import Reason


async def run(ctx: Context, tx: Transaction, team: Team, *, plan: Plan | None, because: Reason) -> None:
    """End a locked team: its case is dropped, its actions are cancelled, nothing is due any more."""
    case = await queries.tasks.live_case(tx, team.id)
    if case is not None:
        rules.meetings.move_case(case, CaseState.DROPPED)
        await record.cases(ctx, tx, [case], more=fhir.tasks.dropped(because))
    await _cancel_actions(ctx, tx, team, because=because)
    if plan is not None:
        await cancel_reviews(ctx, tx, plan)
    team.status, team.ended_at, team.ended_because = TeamState.INACTIVE, ctx.at, [because]
    members = await queries.teams.members(tx, team.id)
    await record.change(ctx, tx, team, resource=fhir.teams.care_team(ctx, team, members))
    leaving = {member.practitioner: -1 for member in members if member.left_at is None}
    await queries.teams.change_caseload(tx, {team.site: leaving})
    await record.publish(ctx, tx, CareTeamChanged, team)


async def close_goals(ctx: Context, tx: Transaction, goals: Iterable[Goal], *, reached: bool) -> None:
    """End a plan's goals: what was pursued to the plan's own end is completed, the rest cancelled."""
    live = [goal for goal in goals if goal.lifecycle_status in LIVE_GOALS]
    for goal in live:
        pursued = reached and goal.lifecycle_status == GoalState.ACTIVE
        goal.lifecycle_status = GoalState.COMPLETED if pursued else GoalState.CANCELLED
    await record.change_all(ctx, tx, [(goal, {"lifecycleStatus": goal.lifecycle_status}) for goal in live])


async def _cancel_actions(ctx: Context, tx: Transaction, team: Team, *, because: Reason) -> None:
    actions = await queries.tasks.live_actions(tx, team.id)
    for action in actions:
        action.state = action.status = ActionState.CANCELLED
    await timers.cancel_all(tx, [(OVERDUE, str(action.id)) for action in actions])
    overlay = {"status": ActionState.CANCELLED, "lastModified": to_the_second(ctx.at)}
    overlay |= fhir.tasks.dropped(because)
    await record.change_all(ctx, tx, [(action, overlay) for action in actions])
