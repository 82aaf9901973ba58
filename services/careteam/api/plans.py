"""Plans and goals: written by the team."""

from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from services.careteam import operations, use_cases
from services.careteam.api.request_parsing import to_replace
from services.careteam.rules.teams import TeamHasEnded
from shared.http.authorize import authorize, only
from shared.http.request_context import RequestContext
from shared.http.responses import refuses

router = APIRouter()


@router.put("/fhir/CarePlan/{id}", responses=refuses(TeamHasEnded))
async def save_plan(
    id: str, request: Annotated[RequestContext, authorize("CarePlan", "u", rows=operations.plans.ROWS)]
) -> Response:
    """Activate, revise or complete a plan."""
    only(request, "clinician", what="write a plan")
    received = await to_replace(request, "CarePlan", id)
    async with request.transaction() as tx:
        team, plan = await use_cases.load.plan(request.ctx, tx, id)
        request.expect(plan)
        await use_cases.save_plan.run(request.ctx, tx, team, plan, received=received)
        return await request.answer(tx, plan.body, about=plan)


@router.put("/fhir/Goal/{id}", responses=refuses(TeamHasEnded))
async def save_goal(
    id: str, request: Annotated[RequestContext, authorize("Goal", "u", rows=operations.plans.ROWS)]
) -> Response:
    """Change a goal: its words, its target, its lifecycle, whether it is achieved."""
    only(request, "clinician", what="write a goal")
    received = await to_replace(request, "Goal", id)
    async with request.transaction() as tx:
        team, goal = await use_cases.load.goal(request.ctx, tx, id)
        request.expect(goal)
        await use_cases.save_goal.run(request.ctx, tx, team, goal, received=received)
        return await request.answer(tx, goal.body, about=goal)
