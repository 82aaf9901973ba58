"""`GET /scheduling/replanning`: the visits that no longer fit, each with times that are free for it."""

from typing import Annotated

import msgspec
from fastapi import APIRouter
from starlette.responses import Response

from services.scheduling import queries, use_cases
from shared.http.authorize import authorize, only
from shared.http.parameters import UnknownParameter, check_names
from shared.http.request_context import RequestContext
from shared.http.responses import refuses

router = APIRouter()

_Search = Annotated[RequestContext, authorize("Task", "s", rows=queries.scope.REPLAN_ROWS)]


@router.get("/replanning", responses=refuses(UnknownParameter))
async def replanning(request: _Search) -> Response:
    """List the visits of the coordinator's site that are to be planned anew, the earliest first.

    Each comes with why, and with times that nobody holds, of which one is taken by the `PUT` that is named.
    """
    only(request, "coordinator", what="see the visits that are to be planned anew")
    check_names(request.query, ())
    site = request.ctx.clinic.site(str(request.principal.site))
    async with request.transaction() as tx:
        rows, body = await use_cases.show_replanning.run(request.ctx, tx, site=site)
        content = msgspec.json.encode(body)
        return await request.answer(tx, content, rows=rows, media_type="application/json")
