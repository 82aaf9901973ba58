"""End the care of a referral that was revoked or closed; one that is merged never had any."""

from services.careteam import queries
from services.careteam.models.rows import EndedReferral, Plan
from services.careteam.states import PlanState, TeamState
from services.careteam.use_cases import end_team, record
from shared.context import Context
from shared.db import Transaction
from shared.reasons import Reason


async def run(ctx: Context, tx: Transaction, referral_id: str, *, because: Reason) -> None:
    """End the care of a referral, once.

    A referral without a team is remembered, so that a booking which arrives later forms none.
    """
    await tx.lock_names([referral_id])
    if not await queries.teams.ended_referrals(tx, [referral_id]):
        await tx.insert(EndedReferral(referral_id=referral_id, reasons=[because], at=ctx.at))
    team = (await queries.teams.of_referrals(tx, [referral_id])).get(referral_id)
    if team is None or team.status != TeamState.ACTIVE:
        return
    plan = await queries.plans.of_team(tx, team.id)
    if plan is not None and plan.status != PlanState.REVOKED:
        await revoke_plan(ctx, tx, plan)
    await end_team.run(ctx, tx, team, plan=plan, because=because)


async def revoke_plan(ctx: Context, tx: Transaction, plan: Plan) -> None:
    """Revoke a locked plan, and cancel what of its goals is open."""
    plan.status, plan.ended_at, plan.awaited_review = PlanState.REVOKED, ctx.at, None
    await record.change(ctx, tx, plan, overlay={"status": plan.status})
    await end_team.close_goals(ctx, tx, await queries.plans.goals(tx, plan.id), reached=False)
