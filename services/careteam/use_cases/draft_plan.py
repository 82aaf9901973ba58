"""Draft the plan of a team after the first visit."""

from services.careteam import fhir, queries
from services.careteam.models.rows import Plan, Team
from services.careteam.states import TeamState
from shared.context import Context
from shared.db import Transaction
from shared.fhir import store


async def run(ctx: Context, tx: Transaction, team: Team, *, seen_by: str) -> Plan | None:
    """Open the draft of a team's plan, once; a team that has ended gets none."""
    if team.status != TeamState.ACTIVE or await queries.plans.of_team(tx, team.id) is not None:
        return None
    members = [member.practitioner for member in await queries.teams.current_members(tx, team.id)]
    plan = Plan(
        team_id=team.id,
        referral_id=team.referral_id,
        patient_id=team.patient_id,
        owner=seen_by if seen_by in members else members[0],
        drafted_at=ctx.at,
    )
    goals = fhir.plans.draft_goals(ctx, plan)
    rendered = fhir.plans.draft_plan(ctx, plan, team=team, goals=[goal for goal, _ in goals])
    store.fill(plan, rendered, at=ctx.at)
    for goal, body in goals:
        store.fill(goal, body, at=ctx.at)
    await tx.insert(plan, *(goal for goal, _ in goals))
    return plan
