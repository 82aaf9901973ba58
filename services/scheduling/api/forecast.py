"""`GET /scheduling/forecast`: breaches of the guarantee to come by week, and what more visits prevent."""

from typing import Annotated

import msgspec
from fastapi import APIRouter
from starlette.responses import Response

from services.scheduling import fhir, queries, rules, use_cases
from services.scheduling.api.searching import UnsupportedSearch
from services.scheduling.models.forecasts import LONGEST_WEEKS, Extra
from services.scheduling.rules.forecast_state import ForecastSite
from shared.clinic import Site
from shared.http.authorize import authorize, only
from shared.http.parameters import UnknownParameter, check_names
from shared.http.request_context import RequestContext
from shared.http.responses import query, refuses

router = APIRouter()

_Search = Annotated[RequestContext, authorize("Task", "s", rows=queries.scope.GUARANTEE_ROWS)]
_USUAL_WEEKS = 8
_PARAMETERS = query(
    weeks=f"how many weeks ahead, {_USUAL_WEEKS} unless said, 1 to {LONGEST_WEEKS}",
    extra=f"more visits a week, `physiotherapy:4`; several with `,`; 0 to {rules.extra_visits.MOST} each",
    **{"extra-from": "the week from which on they are added, 1 (this one) unless said"},
)


@router.get("/forecast", responses=refuses(UnsupportedSearch, UnknownParameter), openapi_extra=_PARAMETERS)
async def forecast(request: _Search) -> Response:
    """Forecast the first visits of the coordinator's site that will not take place in time, by week and
    discipline, with 80% intervals, and how many of them more visits would prevent.
    """
    only(request, "coordinator", what="see the forecast of a site")
    check_names(request.query, ("weeks", "extra", "extra-from"))
    site = request.runtime.clinic.site(str(request.principal.site))
    weeks = _number(request, "weeks", _USUAL_WEEKS, most=LONGEST_WEEKS)
    extra = _extra(request, site, weeks=weeks)
    async with request.transaction() as tx:
        known = await use_cases.show_forecast.read(request.ctx, tx, site=site, weeks=weeks)
    shown, correction = await use_cases.show_forecast.run(known, extra=extra)
    body = fhir.forecasts.describe(shown, correction, zone=site.time_zone)
    async with request.transaction() as tx:
        return await request.answer(tx, msgspec.json.encode(body), media_type="application/json")


def _number(request: RequestContext, name: str, usual: int, *, most: int) -> int:
    text = request.query.get(name)
    number = usual if text is None else rules.extra_visits.whole_number(text)
    if number is None or not 1 <= number <= most:
        raise UnsupportedSearch(f"{name} is a whole number from 1 to {most}", expression=name)
    return number


def _extra(request: RequestContext, site: Site, *, weeks: int) -> list[Extra]:
    """Read how many visits a week are added, and from which week on."""
    known = list(ForecastSite.of(request.runtime.clinic, site).lengths)
    from_week = _number(request, "extra-from", 1, most=weeks)
    try:
        return rules.extra_visits.read(
            request.query.get("extra", ""), known, from_week=from_week, weeks=weeks
        )
    except rules.extra_visits.NoExtra as error:
        raise UnsupportedSearch(str(error), expression=error.name) from error
