"""`GET /scheduling/desk`: the visits of a day of a site, each with what may be recorded of it now."""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter
from starlette.responses import Response

from services.scheduling import fhir, operations, use_cases
from services.scheduling.api.searching import UnsupportedSearch, read_day
from services.scheduling.use_cases.show_desk import DeskVisit
from shared.clinic import Site
from shared.context import Context
from shared.fhir.operations import possible
from shared.http.authorize import authorize, only
from shared.http.parameters import UnknownParameter, check_names
from shared.http.request_context import RequestContext
from shared.http.responses import query, refuses
from shared.operations import Subject

router = APIRouter()

_ROWS = "the visits of the coordinator's site"
_Search = Annotated[RequestContext, authorize("Appointment", "s", rows=_ROWS)]
_DAY = query(day="a local day of the site, today unless said")
# What the desk records, and how it puts that right.
_ACTS = ("arrive", "check-in", "fulfil", "miss", "leave-unseen", "correct-status")


@router.get("/desk", responses=refuses(UnsupportedSearch, UnknownParameter), openapi_extra=_DAY)
async def desk(request: _Search) -> Response:
    """List the visits of a day with their patients, the earliest first, and what may be done with each now.

    Who had come and left without being seen stands among them; what else was called off does not.
    """
    only(request, "coordinator", what="see the visits of a day")
    check_names(request.query, ("day",))
    site = request.runtime.clinic.site(str(request.principal.site))
    day = read_day(request, "day") or request.ctx.at.astimezone(site.zone).date()
    async with request.transaction() as tx:
        visits = await use_cases.show_desk.run(request.ctx, tx, day, site=site)
        body = {
            "day": day.isoformat(),
            "zone": site.time_zone,
            "visits": [_visit(request.ctx, visit, site=site) for visit in visits],
        }
        rows = [visit.row for visit in visits]
        return await request.answer(tx, msgspec.json.encode(body), rows=rows, media_type="application/json")


def _visit(ctx: Context, visit: DeskVisit, *, site: Site) -> Mapping[str, Any]:
    subject: Subject[Any] = Subject(row=visit.row, facts=visit.facts, zone=site.zone)
    return fhir.calendar.of_the_desk(
        visit.row,
        visit.person,
        clinic=ctx.clinic,
        actions=possible(ctx, operations.appointments.APPOINTMENTS, subject, names=_ACTS),
    )
