"""`GET /scheduling/roster`: the roster of a site in one call, as its coordinators look at it."""

from typing import Annotated

import msgspec
from fastapi import APIRouter
from starlette.responses import Response

from services.scheduling import fhir, queries
from shared.http.authorize import authorize, only
from shared.http.parameters import UnknownParameter, check_names
from shared.http.request_context import RequestContext
from shared.http.responses import refuses

router = APIRouter()

_Search = Annotated[RequestContext, authorize("Schedule", "s", rows=queries.scope.ROSTER_ROWS)]


@router.get("/roster", responses=refuses(UnknownParameter))
async def roster(request: _Search) -> Response:
    """Show people with hours and absences, rooms and closed days of the coordinator's site.

    Of absences and closed days those that are not over, each with the Slot in which it stands, and why.
    """
    only(request, "coordinator", what="see the roster of a site")
    check_names(request.query, ())
    clinic = request.ctx.clinic
    site = clinic.site(str(request.principal.site))
    async with request.transaction() as tx:
        rows = await queries.unavailable.of_site(tx, site.id)
        left = [row for row in rows if row.ends_at > request.ctx.at]
        content = msgspec.json.encode(fhir.rosters.describe(clinic, site, unavailable=left))
        return await request.answer(tx, content, media_type="application/json")
