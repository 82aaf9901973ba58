"""Whether an act is possible now: None where it is, else the reason why not.

The verbs check the same rules, so that what is offered is never refused for its state.
"""

from dataclasses import dataclass

from services.careteam.models.rows import CareTask, Goal, Meeting, Plan, Team
from services.careteam.rules import meetings, plans, teams
from services.careteam.states import ActionState, GoalState, MeetingState, PlanState
from shared.context import Context
from shared.reasons import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamFacts:
    """A team, and whether its case waits for a meeting."""

    team: Team
    case_waits: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanFacts:
    """A plan and its team."""

    plan: Plan
    team: Team


@dataclass(frozen=True, slots=True, kw_only=True)
class GoalFacts:
    """A goal and its team."""

    goal: Goal
    team: Team


def may_lead(ctx: Context, meeting: Meeting, *, to: MeetingState) -> Reason | None:
    """Allow its chair the next step of a meeting."""
    why = meetings.why_not_chair(meeting, practitioner=ctx.caller.practitioner)
    return why or meetings.why_not_become(meeting, to)


def may_decide(ctx: Context, meeting: Meeting) -> Reason | None:
    """Allow its chair to decide cases while a meeting is open."""
    why = meetings.why_not_chair(meeting, practitioner=ctx.caller.practitioner)
    return why or meetings.why_not_open(meeting)


def may_save(_: Context, facts: PlanFacts, *, to: PlanState) -> Reason | None:
    """Allow a status of a plan that its life cycle leads to."""
    why = teams.why_ended(facts.team)
    return why or plans.why_no_plan_step(PlanState(facts.plan.status), to=to)


def may_activate(ctx: Context, facts: PlanFacts) -> Reason | None:
    """Allow a draft to become active; what is active is revised."""
    why = may_save(ctx, facts, to=PlanState.ACTIVE)
    if why is None and facts.plan.status == PlanState.ACTIVE:
        return Reason.of("plan-is-active")
    return why


def may_revise(ctx: Context, facts: PlanFacts) -> Reason | None:
    """Allow another version of an active plan."""
    why = may_save(ctx, facts, to=PlanState.ACTIVE)
    if why is None and facts.plan.status != PlanState.ACTIVE:
        return Reason.of("plan-not-active")
    return why


def may_change_goal(_: Context, facts: GoalFacts, *, to: GoalState) -> Reason | None:
    """Allow a lifecycle status of a goal that its life cycle leads to."""
    why = teams.why_ended(facts.team)
    return why or plans.why_no_goal_step(GoalState(facts.goal.lifecycle_status), to=to)


def may_update(ctx: Context, action: CareTask, *, to: ActionState) -> Reason | None:
    """Allow its owner a status of an action that its life cycle leads to."""
    why = plans.why_not_by_hand(action, practitioner=ctx.caller.practitioner)
    return why or plans.why_no_action_step(ActionState(action.state), to=to)


def may_work(_: Context, facts: TeamFacts) -> Reason | None:
    """Allow what a team does until it has ended."""
    return teams.why_ended(facts.team)


def may_bring_case(_: Context, facts: TeamFacts) -> Reason | None:
    """Allow a case where none waits."""
    return teams.why_ended(facts.team) or teams.why_case_waits(waits=facts.case_waits)
