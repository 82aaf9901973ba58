"""Draft the plan of a team after the first visit, or open again the draft that was taken back."""

from services.careteam import fhir, queries, rules
from services.careteam.models.rows import Plan, Team
from services.careteam.states import GoalState, PlanState, TeamState
from services.careteam.use_cases import record
from shared.context import Context
from shared.db import Transaction
from shared.fhir import store
from shared.reasons import Reason


async def run(ctx: Context, tx: Transaction, team: Team, *, seen_by: str) -> Plan | None:
    """Open the draft of a team's plan, once, or again; a team that has ended gets none."""
    if team.status != TeamState.ACTIVE:
        return None
    members = [member.practitioner for member in await queries.teams.current_members(tx, team.id)]
    owner = seen_by if seen_by in members else members[0]
    known = await queries.plans.of_team(tx, team.id)
    if known is not None:
        return await _open_again(ctx, tx, known, owner=owner) if rules.plans.is_taken_back(known) else None
    plan = Plan(
        team_id=team.id,
        referral_id=team.referral_id,
        patient_id=team.patient_id,
        owner=owner,
        drafted_at=ctx.at,
    )
    goals = fhir.plans.draft_goals(ctx, plan)
    rendered = fhir.plans.draft_plan(ctx, plan, team=team, goals=[goal for goal, _ in goals])
    store.fill(plan, rendered, at=ctx.at)
    for goal, body in goals:
        store.fill(goal, body, at=ctx.at)
    await tx.insert(plan, *(goal for goal, _ in goals))
    return plan


async def _open_again(ctx: Context, tx: Transaction, plan: Plan, *, owner: str) -> Plan:
    """Open a draft that was taken back as it was, with the goals that it proposed."""
    plan.status, plan.ended_at, plan.owner = PlanState.DRAFT, None, owner
    await record.change(
        ctx, tx, plan, overlay={"status": plan.status, "author": fhir.elements.practitioner(ctx, owner)}
    )
    goals = await queries.plans.goals(tx, plan.id)
    for goal in goals:
        goal.lifecycle_status = GoalState.PROPOSED
    await record.change_all(ctx, tx, [(goal, {"lifecycleStatus": goal.lifecycle_status}) for goal in goals])
    await record.decided_about_plan(ctx, tx, plan, why=Reason.of("visit-held"))
    return plan
