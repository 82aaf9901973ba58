"""Changing who is in a team."""

from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from services.careteam import operations, use_cases
from services.careteam.api.request_parsing import to_replace
from services.careteam.rules.teams import TeamHasEnded
from services.careteam.use_cases.load import NoSuchThing
from shared.http.authorize import authorize, only
from shared.http.request_context import RequestContext
from shared.http.responses import refuses

router = APIRouter()


@router.put("/fhir/CareTeam/{id}", responses=refuses(NoSuchThing, TeamHasEnded))
async def change_team(
    id: str,
    request: Annotated[RequestContext, authorize("CareTeam", "u", rows=operations.teams.SITE_ROWS)],
) -> Response:
    """Let members come and go: who is named without an end of the period is in the team from now on."""
    only(request, "coordinator", what="change a team")
    received = await to_replace(request, "CareTeam", id)
    async with request.transaction() as tx:
        team = await use_cases.load.team(request.ctx, tx, id)
        request.expect(team)
        await use_cases.change_team.run(request.ctx, tx, team, asked=received.data)
        return await request.answer(tx, team.body, about=team)
