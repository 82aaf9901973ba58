"""What a plan, a goal and an action may become."""

from collections.abc import Mapping, Sequence

from services.careteam import states
from services.careteam.models.rows import Goal
from services.careteam.states import LIVE_GOALS, ActionState, GoalState, PlanState
from shared.errors import Problem

FIRST_REVIEW_FROM_DISCIPLINES = 3


def plan_problems(
    state: PlanState, *, to: PlanState, goals: int, activities: int, has_summary: bool
) -> list[Problem]:
    """List what keeps a plan from a state.

    A plan that is active has a goal and an activity; one that is completed says in a note how it ended.
    """
    if to not in states.allowed(states.PLAN, state) or to is PlanState.REVOKED:
        ways = sorted(states.allowed(states.PLAN, state) - {PlanState.REVOKED})
        return [_no_way("CarePlan", state=state, to=to, ways=ways)]
    problems = []
    if to is PlanState.ACTIVE and goals == 0:
        problems.append(Problem(text="an active plan has at least one goal", expression="CarePlan.goal"))
    if to is PlanState.ACTIVE and activities == 0:
        problems.append(
            Problem(text="an active plan has at least one activity", expression="CarePlan.activity")
        )
    if to is PlanState.COMPLETED and not has_summary:
        problems.append(
            Problem(
                text="completing a plan needs a note that says how it ended",
                code="required",
                expression="CarePlan.note",
            )
        )
    return problems


def goal_problems(state: GoalState, *, to: GoalState) -> list[Problem]:
    """List what keeps a goal from a lifecycle status."""
    ways = states.allowed(states.GOAL, state)
    if to in ways:
        return []
    return [_no_way("Goal", state=state, to=to, ways=sorted(ways), member="lifecycleStatus")]


def goals_to_change(
    goals: Mapping[str, Goal], *, wanted: Sequence[str], state: PlanState
) -> tuple[list[Goal], list[Goal]]:
    """Find which goals of a plan start with it, and which are cancelled, because it does not name them."""
    started = [
        goal
        for goal_id, goal in goals.items()
        if goal_id in wanted and state is PlanState.ACTIVE and goal.lifecycle_status == GoalState.PROPOSED
    ]
    cancelled = [
        goal
        for goal_id, goal in goals.items()
        if goal_id not in wanted and goal.lifecycle_status in LIVE_GOALS
    ]
    return started, cancelled


def action_problems(state: ActionState, *, to: ActionState, has_reason: bool) -> list[Problem]:
    """List what keeps its owner from giving an action a status; only the clinic itself cancels."""
    ways = states.allowed(states.ACTION, state) - {ActionState.CANCELLED}
    if to not in ways:
        return [_no_way("Task", state=state, to=to, ways=sorted(ways))]
    if to is ActionState.REJECTED and not has_reason:
        return [
            Problem(
                text="rejecting an action needs a reason",
                code="required",
                expression="Task.statusReason.text",
            )
        ]
    return []


def _no_way(
    resource_type: str, *, state: str, to: str, ways: Sequence[str], member: str = "status"
) -> Problem:
    after = ", ".join(ways) if ways else "nothing"
    return Problem(
        text=f"{to} cannot follow {state}; what can: {after}",
        code="business-rule",
        expression=f"{resource_type}.{member}",
    )
