"""Hand over what members who leave a team owned to somebody who stays."""

from services.careteam import fhir, queries, rules
from services.careteam.models.rows import Team
from services.careteam.rules.teams import MemberChange, place_of
from services.careteam.states import PlanState
from services.careteam.use_cases import record
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog.careteam import ActionAssigned


async def run(ctx: Context, tx: Transaction, team: Team, *, change: MemberChange) -> None:
    """Give the plan and the open actions of those who leave to their successors; the team is locked."""
    plan = await queries.plans.of_team(tx, team.id)
    actions = await queries.tasks.live_actions(tx, team.id)
    for member in change.leaving:
        owner = "" if plan is None else plan.owner
        heir = rules.teams.successor(
            place_of(member), joining=change.joining, staying=change.staying, owner=owner
        )
        reference = fhir.elements.reference("Practitioner", heir)
        if plan is not None and owner == member.practitioner and plan.status != PlanState.COMPLETED:
            plan.owner = heir
            await record.change(ctx, tx, plan, overlay={"author": reference})
        for action in [action for action in actions if action.owner == member.practitioner]:
            action.owner = heir
            overlay = {"owner": reference, "lastModified": fhir.elements.instant(ctx.at)}
            await record.change(ctx, tx, action, overlay=overlay)
            await record.publish(ctx, tx, ActionAssigned, action)
