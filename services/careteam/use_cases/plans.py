"""The plan: drafted after the first visit, activated and revised by the team, completed at discharge."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.careteam import fhir, queries, rules
from services.careteam.fhir.asked import Findings
from services.careteam.fhir.elements import Resource
from services.careteam.fhir.tasks import CaseReason
from services.careteam.models import Goal, Plan, Team
from services.careteam.states import LIVE_GOALS, GoalState, PlanState, TeamState
from services.careteam.use_cases import agenda, end_care, reviews
from services.careteam.use_cases.change_team import TeamHasEnded
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog import careteam
from shared.events.outbox import publishing
from shared.fhir import store
from shared.fhir.received import Received

_CHANGED = {
    (PlanState.DRAFT, PlanState.ACTIVE): careteam.PlanActivated,
    (PlanState.ACTIVE, PlanState.ACTIVE): careteam.PlanRevised,
}


async def draft_plan(ctx: Context, tx: Transaction, team: Team, *, seen_by: str) -> Plan | None:
    """Open the draft of a team's plan after the first visit, once; a team that has ended gets none."""
    if team.status != TeamState.ACTIVE or await queries.plans.of_team(tx, team.id) is not None:
        return None
    members = [one.practitioner for one in await queries.teams.members(tx, team.id) if one.left_at is None]
    plan = Plan(
        team_id=team.id,
        referral_id=team.referral_id,
        patient_id=team.patient_id,
        owner=seen_by if seen_by in members else members[0],
        drafted_at=ctx.at,
    )
    goals = fhir.plans.draft_goals(ctx, plan)
    rendered = fhir.plans.draft_plan(ctx, plan, team=team, goals=[goal for goal, _ in goals])
    await store.put(tx, plan, rendered, at=ctx.at)
    for goal, body in goals:
        await store.put(tx, goal, body, at=ctx.at)
    return plan


async def save_plan(ctx: Context, tx: Transaction, team: Team, plan: Plan, *, received: Received) -> Plan:
    """Activate, revise or complete a plan; team and plan are locked and the version was compared."""
    if team.status != TeamState.ACTIVE:
        raise TeamHasEnded("the team has ended with its referral")
    stored = fhir.decoded(plan.body)
    before = PlanState(plan.status)
    goals = {str(goal.id): goal for goal in await queries.plans.goals(tx, plan.id)}
    after, wanted = _checked(received, stored, state=before, goals=goals)

    kept = await _save_goals(ctx, tx, plan, wanted, received=received, goals=goals, state=after)
    plan.status = after
    if before is PlanState.DRAFT and after is PlanState.ACTIVE:
        plan.activated_at = ctx.at
    if after is PlanState.COMPLETED:
        plan.ended_at = ctx.at
        plan.awaited_review = None
    references = [fhir.elements.reference("Goal", goal.id) for goal in kept]
    overlay = fhir.plans.plan_overlay(received, stored, goals=references)
    await store.put(tx, plan, received.raw, at=ctx.at, overlay=overlay)
    await _follow_up(ctx, tx, team, plan, before=before, goals=kept)
    return plan


async def save_goal(ctx: Context, tx: Transaction, team: Team, goal: Goal, *, received: Received) -> Goal:
    """Change a goal; team and goal are locked and the version was compared."""
    if team.status != TeamState.ACTIVE:
        raise TeamHasEnded("the team has ended with its referral")
    findings = Findings()
    fhir.asked.unchanged(received.data, fhir.decoded(goal.body), members=("subject",), findings=findings)
    state = _goal_state(received.data, before=GoalState(goal.lifecycle_status), findings=findings)
    findings.refuse()
    goal.lifecycle_status = state
    await store.put(tx, goal, received.raw, at=ctx.at)
    return goal


def _checked(
    received: Received, stored: Mapping[str, Any], *, state: PlanState, goals: Mapping[str, Goal]
) -> tuple[PlanState, Sequence[str]]:
    """Read the asked status and goals; raises Invalid with everything that is wrong."""
    findings = Findings()
    data = received.data
    after = fhir.plans.asked_plan(data, stored, findings=findings)
    wanted = fhir.plans.goal_ids(received, findings=findings)
    for index, goal in enumerate(wanted):
        if not goal.startswith("#") and goal not in goals:
            findings.add("this is no goal of this plan", expression=f"CarePlan.goal[{index}]")
    summary = fhir.plans.summary(data)
    findings.extend(
        rules.plans.plan_problems(
            state,
            to=after,
            goals=len(wanted),
            activities=len(data.get("activity", [])),
            has_summary=bool(summary),
        )
    )
    findings.refuse()
    return after, wanted


async def _save_goals(
    ctx: Context,
    tx: Transaction,
    plan: Plan,
    wanted: Sequence[str],
    *,
    received: Received,
    goals: Mapping[str, Goal],
    state: PlanState,
) -> list[Goal]:
    """Keep the goals that the plan names, make those it contains, and cancel the others."""
    if state is PlanState.COMPLETED:
        await end_care.close_goals(ctx, tx, plan, reached=True)
        return [goals[one] for one in wanted if one in goals]
    contained = fhir.plans.contained_goals(received)
    subject = fhir.decoded(plan.body)["subject"]
    kept = []
    for one in wanted:
        goal = goals.get(one)
        if goal is None:
            goal = Goal(plan_id=plan.id, team_id=plan.team_id, patient_id=plan.patient_id)
            await _put_goal(ctx, tx, goal, contained[one], subject=subject, state=state)
        elif state is PlanState.ACTIVE and goal.lifecycle_status == GoalState.PROPOSED:
            await _put_goal(ctx, tx, goal, goal.body, subject=subject, state=state)
        kept.append(goal)
    for identity, goal in goals.items():
        if identity not in wanted and goal.lifecycle_status in LIVE_GOALS:
            goal.lifecycle_status = GoalState.CANCELLED
            overlay = {"lifecycleStatus": goal.lifecycle_status}
            await store.put(tx, goal, goal.body, at=ctx.at, overlay=overlay)
    return kept


async def _put_goal(
    ctx: Context, tx: Transaction, goal: Goal, body: bytes, *, subject: Resource, state: PlanState
) -> None:
    goal.lifecycle_status = GoalState.ACTIVE if state is PlanState.ACTIVE else GoalState.PROPOSED
    overlay = {"lifecycleStatus": goal.lifecycle_status, "subject": subject}
    await store.put(tx, goal, body, at=ctx.at, overlay=overlay)


async def _follow_up(
    ctx: Context, tx: Transaction, team: Team, plan: Plan, *, before: PlanState, goals: Sequence[Goal]
) -> None:
    """Tell what happened to a plan, and set in motion what follows from it."""
    after = PlanState(plan.status)
    changed = _CHANGED.get((before, after))
    if changed is not None:
        bodies = [goal.body for goal in goals]
        publishing.collect(
            tx, changed, of=plan, key=plan.patient_id, focus=plan.body, carries=bodies, ctx=ctx
        )
    if changed is careteam.PlanActivated:
        await reviews.schedule_reviews(ctx, tx, plan, team=team)
        await _review_new_plan(ctx, tx, team)
    if after is PlanState.COMPLETED:
        await _discharge(ctx, tx, team, plan)


async def _review_new_plan(ctx: Context, tx: Transaction, team: Team) -> None:
    disciplines = ctx.clinic.programme(team.programme).team
    if len(disciplines) >= rules.plans.FIRST_REVIEW_FROM_DISCIPLINES:
        await agenda.put_on_agenda(
            ctx,
            tx,
            team,
            reason=CaseReason.FIRST_PLAN_REVIEW,
            text="first review of the plan by the whole team",
        )


async def _discharge(ctx: Context, tx: Transaction, team: Team, plan: Plan) -> None:
    """Tell that the patient is discharged, with baseline and last of each instrument, and end the team."""
    outcomes = await queries.outcomes.of_team(tx, team.id)
    last = {one.instrument: one for one in outcomes if not one.baseline}
    baselines = [one for one in outcomes if one.baseline]
    told = [*baselines, *(last[one.instrument] for one in baselines if one.instrument in last)]
    publishing.collect(
        tx,
        careteam.PatientDischarged,
        of=plan,
        key=plan.patient_id,
        focus=plan.body,
        carries=[one.body for one in told],
        ctx=ctx,
    )
    await end_care.end_team(ctx, tx, team, plan=plan, reason="discharged")


def _goal_state(data: Mapping[str, Any], *, before: GoalState, findings: Findings) -> GoalState:
    try:
        after = GoalState(data["lifecycleStatus"])
    except ValueError:
        allowed = ", ".join(GoalState)
        findings.add(f"a goal is one of {allowed}", expression="Goal.lifecycleStatus")
        return before
    findings.extend(rules.plans.goal_problems(before, to=after))
    return after
