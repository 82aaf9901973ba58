"""The end of a team: everything of it that is open ends with it."""

from services.careteam import fhir, queries
from services.careteam.models import EndedReferral, Plan, Team
from services.careteam.states import LIVE_GOALS, CaseState, GoalState, PlanState, TeamState
from services.careteam.use_cases import actions, agenda, reviews
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog import careteam
from shared.events.outbox import publishing
from shared.fhir import store


async def end_referral(ctx: Context, tx: Transaction, referral_id: str, *, reason: str) -> None:
    """End the care of a referral that was revoked, closed or merged, once.

    A referral without a team is remembered, so that a booking which is heard later forms none.
    """
    await queries.teams.lock_referrals(tx, [referral_id])
    if not await queries.teams.ended_referrals(tx, [referral_id]):
        tx.add(EndedReferral(referral_id=referral_id, reason=reason, at=ctx.at))
    team = (await queries.teams.of_referrals(tx, [referral_id])).get(referral_id)
    if team is None or team.status != TeamState.ACTIVE:
        return
    plan = await queries.plans.of_team(tx, team.id)
    if plan is not None:
        await _revoke_plan(ctx, tx, plan)
    await end_team(ctx, tx, team, plan=plan, reason=reason)


async def end_team(ctx: Context, tx: Transaction, team: Team, *, plan: Plan | None, reason: str) -> None:
    """End a locked team: its case is dropped, its actions are cancelled, nothing is due any more."""
    case = await queries.tasks.live_case(tx, team.id)
    if case is not None:
        await agenda.become(ctx, tx, case, CaseState.DROPPED, more=fhir.tasks.dropped(reason))
    for action in await queries.tasks.live_actions(tx, team.id):
        await actions.cancel_action(ctx, tx, action, reason=reason)
    if plan is not None:
        await reviews.cancel_reviews(ctx, tx, plan)
    team.status = TeamState.INACTIVE
    team.ended_at = ctx.at
    team.ended_because = reason
    members = await queries.teams.members(tx, team.id)
    rendered = fhir.teams.care_team(ctx, team, members)
    await store.put(tx, team, rendered, at=ctx.at)
    leaving = {one.practitioner: -1 for one in members if one.left_at is None}
    await queries.teams.change_caseload(tx, {team.site: leaving})
    publishing.collect(tx, careteam.CareTeamChanged, of=team, key=team.patient_id, focus=team.body, ctx=ctx)


async def close_goals(ctx: Context, tx: Transaction, plan: Plan, *, reached: bool) -> None:
    """End every goal of a plan: what was pursued to the plan's own end is completed, the rest cancelled."""
    for goal in await queries.plans.goals(tx, plan.id):
        if goal.lifecycle_status in LIVE_GOALS:
            pursued = reached and goal.lifecycle_status == GoalState.ACTIVE
            goal.lifecycle_status = GoalState.COMPLETED if pursued else GoalState.CANCELLED
            overlay = {"lifecycleStatus": goal.lifecycle_status}
            await store.put(tx, goal, goal.body, at=ctx.at, overlay=overlay)


async def _revoke_plan(ctx: Context, tx: Transaction, plan: Plan) -> None:
    plan.status = PlanState.REVOKED
    plan.ended_at = ctx.at
    plan.awaited_review = None
    await store.put(tx, plan, plan.body, at=ctx.at, overlay={"status": plan.status})
    await close_goals(ctx, tx, plan, reached=False)
