"""`GET /scheduling/attendance`: what became of the visits of a site, as figures."""

from dataclasses import asdict
from datetime import timedelta
from typing import Annotated

import msgspec
from fastapi import APIRouter
from starlette.responses import Response

from services.scheduling import queries, rules
from services.scheduling.api.searching import UnsupportedSearch, read_day
from shared.http.authorize import authorize, only
from shared.http.parameters import UnknownParameter, check_names
from shared.http.request_context import RequestContext
from shared.http.responses import query, refuses

router = APIRouter()

_ROWS = "counts over the coordinator's site"
_Search = Annotated[RequestContext, authorize("Appointment", "s", rows=_ROWS)]
_BACK = timedelta(days=28)
_PERIOD = query(
    **{
        "from": "the first local day on which the visits begin, 28 days ago unless said",
        "to": "the last such day, today unless said",
    }
)


@router.get("/attendance", responses=refuses(UnsupportedSearch, UnknownParameter), openapi_extra=_PERIOD)
async def attendance(request: _Search) -> Response:
    """Count what became of the visits of the coordinator's site, by programme and kind of visit.

    `late` are those that the patient called off later than the payer wants, `late_units` those of them that
    use a unit all the same. Of the freed times `filled` were taken by who had no day or
    booked, `offered` were offered, `taken` by who had a later one, `left` by nobody.
    """
    only(request, "coordinator", what="see what became of the visits of a site")
    check_names(request.query, ("from", "to"))
    site = request.runtime.clinic.site(str(request.principal.site))
    today = request.ctx.at.astimezone(site.zone).date()
    last = read_day(request, "to") or today
    first = read_day(request, "from") or last - _BACK
    if first > last:
        raise UnsupportedSearch("the first day is not after the last", expression="from")
    since = rules.calendar.local_day_start(first, site.zone)
    until = rules.calendar.local_day_end(last, site.zone)
    async with request.transaction() as tx:
        rows = await queries.attendance.counted(tx, site.id, since=since, until=until, at=request.ctx.at)
        freed = await queries.offers.counted(tx, site.id, since=since, until=until)
        body = {
            "from": first.isoformat(),
            "to": last.isoformat(),
            "visits": [asdict(row) for row in rows],
            "freed_times": freed,
        }
        return await request.answer(tx, msgspec.json.encode(body), media_type="application/json")
