"""Save a plan: activated and revised by the team, completed at discharge."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.careteam import fhir, queries, rules
from services.careteam.fhir.plans import SentPlan
from services.careteam.fhir.request_parsing import Findings
from services.careteam.models.rows import Goal, Plan, Team
from services.careteam.states import GoalState, PlanState
from services.careteam.use_cases import end_team, put_on_agenda, record, review_progress
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog.careteam import PatientDischarged, PlanActivated, PlanRevised
from shared.fhir import store
from shared.fhir.elements import reference
from shared.fhir.received import Received
from shared.reasons import Reason


async def run(ctx: Context, tx: Transaction, team: Team, plan: Plan, *, received: Received) -> None:
    """Activate, revise or complete a plan; team and plan are locked and the version was compared."""
    rules.teams.must_be_active(team)
    sent, stored = fhir.plans.taken_apart(received), fhir.elements.decoded(plan.body)
    before = PlanState(plan.status)
    goals = {str(goal.id): goal for goal in await queries.plans.goals(tx, plan.id)}
    after, wanted = _checked(ctx, sent, stored, state=before, goals=goals)

    kept = await _save_goals(
        ctx, tx, plan, wanted, sent=sent, goals=goals, subject=stored["subject"], state=after
    )
    plan.status = after
    if before is PlanState.DRAFT and after is PlanState.ACTIVE:
        plan.activated_at = ctx.at
    if after is PlanState.COMPLETED:
        plan.ended_at, plan.awaited_review = ctx.at, None
    references = [reference("Goal", goal.id) for goal in kept]
    overlay = fhir.plans.plan_overlay(sent, stored, goals=references)
    await record.change(ctx, tx, plan, resource=received.raw, overlay=overlay)
    if after is PlanState.COMPLETED:
        await _discharge(ctx, tx, team, plan)
    elif after is PlanState.ACTIVE and before is PlanState.ACTIVE:
        await record.publish(ctx, tx, PlanRevised, plan, carries=kept)
    elif after is PlanState.ACTIVE:
        await record.publish(ctx, tx, PlanActivated, plan, carries=kept)
        await review_progress.schedule_reviews(ctx, tx, plan, team=team)
        await _review_new_plan(ctx, tx, team)


def _checked(
    ctx: Context, sent: SentPlan, stored: Mapping[str, Any], *, state: PlanState, goals: Mapping[str, Goal]
) -> tuple[PlanState, Sequence[str]]:
    """Read the asked status and goals; raises Invalid with everything that is wrong."""
    findings = Findings(urls=ctx.urls)
    data = sent.received.data
    after = fhir.plans.asked_plan(data, stored, findings=findings)
    wanted = fhir.plans.goal_ids(sent, findings=findings)
    for index, goal in enumerate(wanted):
        if not goal.startswith("#") and goal not in goals:
            findings.add("this is no goal of this plan", expression=f"CarePlan.goal[{index}]")
    problems = rules.plans.plan_problems(
        state,
        to=after,
        goals=len(wanted),
        activities=len(data.get("activity", [])),
        has_summary=bool(fhir.plans.summary(data)),
    )
    findings.extend(problems)
    findings.refuse()
    return after, wanted


async def _save_goals(
    ctx: Context,
    tx: Transaction,
    plan: Plan,
    wanted: Sequence[str],
    *,
    sent: SentPlan,
    goals: dict[str, Goal],
    subject: Mapping[str, Any],
    state: PlanState,
) -> list[Goal]:
    """Keep the goals that the plan names, make those it contains, and cancel the others."""
    if state is PlanState.COMPLETED:
        await end_team.close_goals(ctx, tx, goals.values(), reached=True)
        return [goals[goal_id] for goal_id in wanted if goal_id in goals]
    start = GoalState.ACTIVE if state is PlanState.ACTIVE else GoalState.PROPOSED
    overlay: dict[str, Any] = {"lifecycleStatus": start, "subject": subject}
    made = _new_goals(ctx, plan, sent, wanted=wanted, overlay=overlay)
    started, cancelled = rules.plans.goals_to_change(goals, wanted=wanted, state=state)
    for goal in started:
        goal.lifecycle_status = GoalState.ACTIVE
    for goal in cancelled:
        goal.lifecycle_status = GoalState.CANCELLED
    await tx.insert(*made.values())
    dropped = {"lifecycleStatus": GoalState.CANCELLED}
    changed = [*((goal, overlay) for goal in started), *((goal, dropped) for goal in cancelled)]
    await record.change_all(ctx, tx, changed)
    return [made.get(goal_id) or goals[goal_id] for goal_id in wanted]


def _new_goals(
    ctx: Context, plan: Plan, sent: SentPlan, *, wanted: Sequence[str], overlay: Mapping[str, Any]
) -> dict[str, Goal]:
    """Make the Goals that a plan brings inside itself and names."""
    made = {}
    for goal_id in [goal_id for goal_id in wanted if goal_id in sent.goals]:
        goal = Goal(plan_id=plan.id, team_id=plan.team_id, patient_id=plan.patient_id)
        goal.lifecycle_status = overlay["lifecycleStatus"]
        store.fill(goal, sent.goals[goal_id], at=ctx.at, overlay=overlay)
        made[goal_id] = goal
    return made


async def _review_new_plan(ctx: Context, tx: Transaction, team: Team) -> None:
    disciplines = ctx.clinic.programme(team.programme).team
    if len(disciplines) >= rules.plans.FIRST_REVIEW_FROM_DISCIPLINES:
        await put_on_agenda.run(ctx, tx, team, why=Reason.of("first-plan-review"))


async def _discharge(ctx: Context, tx: Transaction, team: Team, plan: Plan) -> None:
    """Publish the discharge, with baseline and last score of each instrument, and end the team."""
    outcomes = rules.progress.first_and_last(await queries.outcomes.of_team(tx, team.id))
    await record.publish(ctx, tx, PatientDischarged, plan, carries=outcomes)
    await end_team.run(ctx, tx, team, plan=plan, because=Reason.of("patient-discharged"))
