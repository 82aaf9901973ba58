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
    heirs, owner = dict[str, str](), "" if plan is None else plan.owner
    for member in change.leaving:
        heir = rules.teams.successor(
            place_of(member), joining=change.joining, staying=change.staying, owner=owner
        )
        heirs[member.practitioner] = heir
        owner = heir if owner == member.practitioner else owner
    if plan is not None and plan.owner != owner and plan.status != PlanState.COMPLETED:
        plan.owner = owner
        author = fhir.elements.practitioner(ctx, owner)
        await record.change(ctx, tx, plan, overlay={"author": author})
    live = await queries.tasks.live_actions(tx, team.id)
    actions = [action for action in live if action.owner in heirs]
    for action in actions:
        action.owner = heirs[action.owner]
    await record.change_all(ctx, tx, [(action, fhir.tasks.handed_over(ctx, action)) for action in actions])
    await record.publish(ctx, tx, ActionAssigned, *actions)
