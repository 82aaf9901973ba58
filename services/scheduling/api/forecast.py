"""`GET /scheduling/forecast`: breaches of the guarantee to come by week, and what more visits prevent."""

from typing import Annotated

import msgspec
from fastapi import APIRouter
from starlette.responses import Response

from services.scheduling import fhir, queries, use_cases
from services.scheduling.api.searching import UnsupportedSearch
from services.scheduling.models.forecasts import LONGEST_WEEKS, Extra
from services.scheduling.rules.forecast_state import ForecastSite
from shared.http.authorize import authorize, only
from shared.http.parameters import UnknownParameter, check_names
from shared.http.request_context import RequestContext
from shared.http.responses import query, refuses

router = APIRouter()

_Search = Annotated[RequestContext, authorize("Task", "s", rows=queries.scope.GUARANTEE_ROWS)]
_USUAL_WEEKS = 8
_MOST_EXTRA = 40
_PARAMETERS = query(
    weeks=f"how many weeks ahead, {_USUAL_WEEKS} unless said, 1 to {LONGEST_WEEKS}",
    extra=f"more visits a week, `physiotherapy:4`; several disciplines with `,`; 0 to {_MOST_EXTRA} each",
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
    weeks = _number(request, "weeks", _USUAL_WEEKS, least=1, most=LONGEST_WEEKS)
    from_week = _number(request, "extra-from", 1, least=1, most=weeks)
    known_needs = list(ForecastSite.of(request.runtime.clinic, site).lengths)
    extra = _extra(request.query.get("extra"), known_needs, from_week=from_week)
    async with request.transaction() as tx:
        known = await use_cases.show_forecast.read(request.ctx, tx, site=site, weeks=weeks)
    shown, correction = await use_cases.show_forecast.run(known, extra=extra)
    body = fhir.forecasts.describe(shown, correction, zone=site.time_zone)
    async with request.transaction() as tx:
        return await request.answer(tx, msgspec.json.encode(body), media_type="application/json")


def _number(request: RequestContext, name: str, usual: int, *, least: int, most: int) -> int:
    text = request.query.get(name)
    if text is None:
        return usual
    number = _whole(text)
    if number is None or not least <= number <= most:
        raise UnsupportedSearch(f"{name} is a whole number from {least} to {most}", expression=name)
    return number


def _extra(text: str | None, known: list[str], *, from_week: int) -> list[Extra]:
    """Read how many visits a week are added, of which disciplines; each stands once."""
    found: dict[str, Extra] = {}
    for part in (text or "").split(",") if text else ():
        need, colon, number = part.partition(":")
        visits = _whole(number)
        if need not in known:
            why = f"{need[:64]!r} gives no first visits at this site; those that do: {', '.join(known)}"
            raise UnsupportedSearch(why, expression="extra")
        if not colon or visits is None or visits > _MOST_EXTRA:
            why = f"{need} takes a whole number of visits a week, 0 to {_MOST_EXTRA}: {need}:4"
            raise UnsupportedSearch(why, expression="extra")
        if need in found:
            raise UnsupportedSearch(f"{need} stands twice", expression="extra")
        found[need] = Extra(need=need, visits=visits, from_week=from_week)
    return list(found.values())


def _whole(text: str) -> int | None:
    """Read a small whole number in plain digits; None for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 4 else None
