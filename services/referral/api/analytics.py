"""Waits and completeness as figures: JSON, CSV or a plot; small groups are never shown."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Annotated, Any, TypedDict

from fastapi import APIRouter
from starlette.responses import Response

from services.referral import queries, texts
from services.referral.api import figures
from services.referral.api.figures import Table
from services.referral.models.cells import SMALLEST
from services.referral.queries.analytics import PracticeCard, WaitCell
from services.referral.use_cases.referral_file import local_day
from shared.clinic import Site
from shared.errors import Invalid, NotSupported
from shared.http.authorize import authorize, only
from shared.http.parameters import UnknownParameter, check_names
from shared.http.request_context import RequestContext
from shared.http.responses import query, refuses

router = APIRouter()

_ROWS = "counts over the coordinator's site; a referrer counts over the clinic's waits and its own referrals"
_Search = Annotated[RequestContext, authorize("MeasureReport", "s", rows=_ROWS)]
_HALF_A_YEAR = timedelta(days=182)
_PARAMETERS = query(
    **{"from": "first local day sent", "to": "last such day", "format": "`json`, `csv` or `svg`"}
)


class UnknownFigure(NotSupported):
    """There is no such format."""


class NoPeriod(Invalid):
    """A period is two dates in order."""


class _Wait(TypedDict):
    """A row of the waits; its members are the columns of the table."""

    site: str
    programme: str
    wait: str
    people: int | None
    median_days: int | None
    p90_days: int | None
    adjusted_median_days: int | None
    adjusted_p90_days: int | None
    within_promise: int | None
    suppressed: bool


class _Card(TypedDict):
    """A practice's row of completeness; its members are the columns of the table."""

    practice: str
    referrals: int | None
    complete: int | None
    median_days_until_complete: int | None
    missing_most: list[dict[str, Any]]
    suppressed: bool


@router.get(
    "/analytics/waits",
    responses=refuses(UnknownFigure, UnknownParameter, NoPeriod),
    openapi_extra=_PARAMETERS,
)
async def waits(request: _Search) -> Response:
    """Tell how long people waited, by programme and site: median and 90th percentile in local days.

    Wait 1a runs from the sending to the first visit that took place, 1b from there to the active care plan,
    1 from the sending to the plan. The adjusted figure leaves out the days on which the patient could not
    come.
    """
    only(request, "referrer", "coordinator", what="see waits")
    sites = _sites(request)
    first, last = _period(request, sites[0])
    async with request.transaction() as tx:
        found = [
            cell for site in sites for cell in await queries.analytics.waits(tx, site, first=first, last=last)
        ]
        table = Table(
            name="waits",
            title="Median wait in days",
            columns=tuple(_Wait.__annotations__),
            rows=[_wait(cell) for cell in found],
            label=("site", "programme", "wait"),
            value="median_days",
        )
        return await _answer(request, tx, table, first=first, last=last)


@router.get(
    "/analytics/completeness",
    responses=refuses(UnknownFigure, UnknownParameter, NoPeriod),
    openapi_extra=_PARAMETERS,
)
async def completeness(request: _Search) -> Response:
    """Tell how complete referrals came, by practice, and what was missing most; a practice reads its own."""
    only(request, "referrer", "coordinator", what="see how complete referrals come")
    practice = request.principal.organization if request.principal.party == "referrer" else None
    sites = _sites(request)
    first, last = _period(request, sites[0])
    async with request.transaction() as tx:
        cards = await queries.analytics.completeness(tx, sites, practice=practice, first=first, last=last)
        table = Table(
            name="completeness",
            title="Referrals that came complete",
            columns=tuple(_Card.__annotations__),
            rows=[_card(card) for card in cards],
            label=("practice",),
            value="complete",
        )
        return await _answer(request, tx, table, first=first, last=last)


async def _answer(request: RequestContext, tx: Any, table: Table, *, first: date, last: date) -> Response:
    wanted = request.query.get("format") or figures.format_of(request.http.headers.get("accept", ""))
    if wanted not in figures.MEDIA_TYPES:
        allowed = ", ".join(figures.MEDIA_TYPES)
        raise UnknownFigure(f"the formats are {allowed}, not {wanted[:32]}", expression="format")
    body = figures.render(table, wanted, first=first, last=last, smallest=SMALLEST)
    return await request.answer(tx, body, rows=(), media_type=figures.MEDIA_TYPES[wanted])


def _sites(request: RequestContext) -> Sequence[Site]:
    """List the sites that the caller counts over: a coordinator's own, for a referrer all."""
    check_names(request.query, ("from", "to", "format"))
    clinic, site = request.runtime.clinic, request.principal.site
    return clinic.sites if request.principal.party == "referrer" else (clinic.site(str(site)),)


def _period(request: RequestContext, site: Site) -> tuple[date, date]:
    """Read the period, the last half year where none is named."""
    today = local_day(request.ctx.at, site=site.id, clinic=request.runtime.clinic)
    last = _day(request, "to") or today
    first = _day(request, "from") or last - min(_HALF_A_YEAR, last - date.min)
    if first > last:
        raise NoPeriod("the first day is not after the last", expression="from")
    return first, last


def _day(request: RequestContext, name: str) -> date | None:
    text = request.query.get(name)
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise NoPeriod("a day is written as 2026-03-02", expression=name) from None


def _wait(cell: WaitCell) -> _Wait:
    hidden = cell.people.is_hidden
    median, ninetieth = (None, None) if hidden else cell.raw
    adjusted, adjusted_ninetieth = (None, None) if hidden else cell.adjusted
    return _Wait(
        site=cell.site,
        programme=cell.programme,
        wait=cell.wait,
        people=cell.people.count,
        median_days=median,
        p90_days=ninetieth,
        adjusted_median_days=adjusted,
        adjusted_p90_days=adjusted_ninetieth,
        within_promise=cell.within.count,
        suppressed=hidden,
    )


def _card(card: PracticeCard) -> _Card:
    hidden = card.referrals.is_hidden
    shown = [(code, times.count) for code, times in card.missed if not hidden and not times.is_hidden]
    return _Card(
        practice=card.practice,
        referrals=card.referrals.count,
        complete=card.complete.count,
        median_days_until_complete=None if hidden else card.days_until_complete,
        missing_most=[
            {"code": code, "text": texts.MISSING.get(code, code), "times": times} for code, times in shown[:5]
        ],
        suppressed=hidden,
    )
