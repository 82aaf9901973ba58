"""What a plan, a goal and an action may become."""

from collections.abc import Mapping, Sequence

from services.careteam import states, texts
from services.careteam.models.rows import CareTask, Goal, Plan
from services.careteam.rules import steps
from services.careteam.states import LIVE_GOALS, ActionState, GoalState, PlanState
from shared.errors import Problem
from shared.fhir.codes import TaskCode
from shared.reasons import Reason, said

FIRST_REVIEW_FROM_DISCIPLINES = 3


def why_no_plan_step(state: PlanState, *, to: PlanState) -> Reason | None:
    """Say why nobody gives a plan a status; only the end of its referral revokes it."""
    return steps.why_not(state, to=to, ways=states.allowed(states.PLAN, state) - {PlanState.REVOKED})


def is_taken_back(plan: Plan) -> bool:
    """Tell whether the plan of a team that goes on was taken back, and can be opened again by a visit."""
    return PlanState.DRAFT in states.allowed(states.CORRECTED_PLAN, PlanState(plan.status))


def why_no_goal_step(state: GoalState, *, to: GoalState) -> Reason | None:
    """Say why nobody gives a goal a lifecycle status."""
    return steps.why_not(state, to=to, ways=states.allowed(states.GOAL, state))


def why_no_action_step(state: ActionState, *, to: ActionState) -> Reason | None:
    """Say why its owner does not give an action a status; only the clinic itself cancels."""
    return steps.why_not(state, to=to, ways=states.allowed(states.ACTION, state) - {ActionState.CANCELLED})


def why_not_by_hand(task: CareTask, *, practitioner: str | None) -> Reason | None:
    """Say why somebody does not change a Task at all: a case, or another's action."""
    if task.code != TaskCode.ACTION:
        return Reason.of("decided-at-a-meeting")
    return None if task.owner == practitioner else Reason.of("not-the-owner")


def plan_problems(
    state: PlanState, *, to: PlanState, goals: int, activities: int, has_summary: bool
) -> list[Problem]:
    """List what keeps a plan from a state.

    A plan that is active has a goal and an activity; one that is completed says in a note how it ended.
    """
    if (why := why_no_plan_step(state, to=to)) is not None:
        return [_problem(why, "CarePlan.status", code="business-rule")]
    problems = []
    if to is PlanState.ACTIVE and goals == 0:
        problems.append(_problem(Reason.of("no-goal"), "CarePlan.goal"))
    if to is PlanState.ACTIVE and activities == 0:
        problems.append(_problem(Reason.of("no-activity"), "CarePlan.activity"))
    if to is PlanState.COMPLETED and not has_summary:
        problems.append(_problem(Reason.of("no-summary"), "CarePlan.note", code="required"))
    return problems


def goal_problems(state: GoalState, *, to: GoalState) -> list[Problem]:
    """List what keeps a goal from a lifecycle status."""
    why = why_no_goal_step(state, to=to)
    return [] if why is None else [_problem(why, "Goal.lifecycleStatus", code="business-rule")]


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
    """List what keeps its owner from giving an action a status."""
    if (why := why_no_action_step(state, to=to)) is not None:
        return [_problem(why, "Task.status", code="business-rule")]
    if to is ActionState.REJECTED and not has_reason:
        return [_problem(Reason.of("no-reason-to-reject"), "Task.statusReason.text", code="required")]
    return []


def _problem(why: Reason, expression: str, *, code: str = "invalid") -> Problem:
    return Problem(text=said(why, texts.REASONS), code=code, expression=expression, reason=why)
