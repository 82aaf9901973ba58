"""Plans and goals: written by the team."""

from fastapi import APIRouter, Depends
from starlette.responses import Response

from services.careteam import use_cases
from services.careteam.api.received import to_replace
from shared.http.call import Call, only, requires
from shared.http.route import CallRoute

router = APIRouter(route_class=CallRoute)
_ROWS = "patients of the clinician's own teams"


@router.put("/fhir/CarePlan/{id}")
async def save_plan(id: str, call: Call = Depends(requires("CarePlan", "u", rows=_ROWS))) -> Response:
    """Activate, revise or complete a plan."""
    only(call, "clinician", what="write a plan")
    received = await to_replace(call, "CarePlan", id)
    async with call.transaction() as tx:
        team, plan = await use_cases.load.plan(call.ctx, tx, id)
        call.expect(plan)
        await use_cases.plans.save_plan(call.ctx, tx, team, plan, received=received)
        return await call.answer(tx, plan.body, about=plan)


@router.put("/fhir/Goal/{id}")
async def save_goal(id: str, call: Call = Depends(requires("Goal", "u", rows=_ROWS))) -> Response:
    """Change a goal: its words, its target, its lifecycle, whether it is achieved."""
    only(call, "clinician", what="write a goal")
    received = await to_replace(call, "Goal", id)
    async with call.transaction() as tx:
        team, goal = await use_cases.load.goal(call.ctx, tx, id)
        call.expect(goal)
        await use_cases.plans.save_goal(call.ctx, tx, team, goal, received=received)
        return await call.answer(tx, goal.body, about=goal)
