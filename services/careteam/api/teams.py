"""Changing who is in a team."""

from fastapi import APIRouter, Depends
from starlette.responses import Response

from services.careteam import use_cases
from services.careteam.api.received import to_replace
from shared.http.call import Call, only, requires
from shared.http.route import CallRoute

router = APIRouter(route_class=CallRoute)


@router.put("/fhir/CareTeam/{id}")
async def change_team(
    id: str, call: Call = Depends(requires("CareTeam", "u", rows="teams of the coordinator's site"))
) -> Response:
    """Let members come and go: who is named without an end of the period is in the team from now on."""
    only(call, "coordinator", what="change a team")
    received = await to_replace(call, "CareTeam", id)
    async with call.transaction() as tx:
        team = await use_cases.load.team(call.ctx, tx, id)
        call.expect(team)
        await use_cases.change_team.change_team(call.ctx, tx, team, asked=received.data)
        return await call.answer(tx, team.body, about=team)
