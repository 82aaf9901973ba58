"""Take back the plan that a first visit had opened which was not held after all, or bring it to the team."""

from services.careteam import fhir, queries
from services.careteam.states import PlanState, TeamState
from services.careteam.use_cases import end_referral, put_on_agenda, record
from shared.context import Context
from shared.db import Transaction
from shared.reasons import Reason

NOT_HELD = Reason.of("visit-not-held")


async def run(ctx: Context, tx: Transaction, referral_id: str) -> None:
    """Revoke a draft that nobody has written on; a plan that is somebody's work goes on the next agenda."""
    await tx.lock_names([referral_id])
    team = (await queries.teams.of_referrals(tx, [referral_id])).get(referral_id)
    if team is None or team.status != TeamState.ACTIVE:
        return
    plan = await queries.plans.of_team(tx, team.id)
    if plan is None or plan.status == PlanState.REVOKED:
        return
    if fhir.plans.is_as_drafted(ctx, plan, team=team, goals=await queries.plans.goals(tx, plan.id)):
        await end_referral.revoke_plan(ctx, tx, plan)
        await record.decided_about_plan(ctx, tx, plan, why=NOT_HELD)
    else:
        await put_on_agenda.run(ctx, tx, team, why=NOT_HELD)
