"""What a member who leaves a team owned goes to somebody who stays."""

from collections.abc import Sequence

from services.careteam import fhir, queries, rules
from services.careteam.models import Place, Team
from services.careteam.states import PlanState
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog import careteam
from shared.events.outbox import publishing
from shared.fhir import store


async def hand_over(
    ctx: Context,
    tx: Transaction,
    team: Team,
    *,
    leaving: Place,
    joining: Sequence[Place],
    staying: Sequence[Place],
) -> None:
    """Give the plan and the open actions of who leaves to their successor; the team is locked."""
    plan = await queries.plans.of_team(tx, team.id)
    owner = "" if plan is None else plan.owner
    heir = rules.teams.successor(leaving, joining=joining, staying=staying, owner=owner)
    if plan is not None and plan.owner == leaving.practitioner and plan.status != PlanState.COMPLETED:
        plan.owner = heir
        author = {"author": fhir.elements.reference("Practitioner", heir)}
        await store.put(tx, plan, plan.body, at=ctx.at, overlay=author)
    for action in await queries.tasks.live_actions(tx, team.id, owner=leaving.practitioner):
        action.owner = heir
        overlay = {
            "owner": fhir.elements.reference("Practitioner", heir),
            "lastModified": fhir.elements.instant(ctx.at),
        }
        await store.put(tx, action, action.body, at=ctx.at, overlay=overlay)
        publishing.collect(
            tx, careteam.ActionAssigned, of=action, key=team.patient_id, focus=action.body, ctx=ctx
        )
