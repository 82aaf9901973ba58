"""The guarantees of a site, as a coordinator looks at them: a page of them, and their figures."""

from datetime import datetime, timedelta
from typing import Annotated

import msgspec
from fastapi import APIRouter
from starlette.responses import Response

from services.scheduling import queries, rules, use_cases
from services.scheduling.api.searching import UnsupportedSearch, day_of, read_day
from services.scheduling.models.guarantees import GuaranteeFilter
from shared.clinic import Site
from shared.fhir.codes import GuaranteeStatus, RequestPriority
from shared.fhir.search_query import read_count
from shared.http.authorize import authorize, only
from shared.http.parameters import UnknownParameter, check_names
from shared.http.request_context import RequestContext
from shared.http.responses import query, refuses

router = APIRouter()

_Search = Annotated[RequestContext, authorize("Task", "s", rows=queries.scope.GUARANTEE_ROWS)]
_OPEN = "open"
_OPEN_STATUSES = (GuaranteeStatus.PLANNED, GuaranteeStatus.ON_TRACK)
_STATUSES = (_OPEN, *GuaranteeStatus)
_SORTS = ("due", "-due")
_PREFIXES = ("eq", "ge", "gt", "le", "lt")
_BACK = timedelta(days=90)
_AHEAD = timedelta(days=366)
_PRIORITY = f"one or several of {', '.join(RequestPriority)} with `,`"
_FILTERS = query(
    status=f"one or several of {', '.join(_STATUSES)} with `,`; `open` is planned and on-track",
    programme="the id of a programme",
    priority=_PRIORITY,
    due="the last day of the guarantee, with `ge`, `gt`, `le` or `lt` before it where wanted",
    _sort="`due` (unless said) or `-due`",
    _count="how many rows, 50 unless said, 200 at most",
    _after="the `next` of the page before",
)
_PERIOD = query(
    **{
        "from": "the first last day of a guarantee, 90 days ago unless said",
        "to": "the last such day, a year ahead unless said",
        "priority": _PRIORITY,
    }
)


@router.get("/guarantee", responses=refuses(UnsupportedSearch, UnknownParameter), openapi_extra=_FILTERS)
async def guarantee(request: _Search) -> Response:
    """List the guarantees of the coordinator's site, the one that ends first first, a page at a time.

    Those at risk, foreseen to break or broken come with what would help: a free time that nobody holds.
    """
    only(request, "coordinator", what="see the guarantees of a site")
    known = ("status", "programme", "priority", "due", "_sort", "_count", "_after")
    check_names(request.query, known, repeatable=("due",))
    site = _site(request)
    asked = _filter(request, site)
    count, after = read_count(request.query.get("_count")), request.query.get("_after")
    async with request.transaction() as tx:
        rows, body = await use_cases.show_board.page(
            request.ctx, tx, asked, site=site, count=count, after=after
        )
        content = msgspec.json.encode(body)
        return await request.answer(tx, content, rows=rows, media_type="application/json")


@router.get(
    "/guarantee/summary", responses=refuses(UnsupportedSearch, UnknownParameter), openapi_extra=_PERIOD
)
async def summary(request: _Search) -> Response:
    """Count the guarantees of the coordinator's site by status, with the waits for visits that took place."""
    only(request, "coordinator", what="see the guarantees of a site")
    check_names(request.query, ("from", "to", "priority"))
    site = _site(request)
    today = request.ctx.at.astimezone(site.zone).date()
    first, last = read_day(request, "from") or today - _BACK, read_day(request, "to") or today + _AHEAD
    if first > last:
        raise UnsupportedSearch("the first day is not after the last", expression="from")
    async with request.transaction() as tx:
        counted, free_hours = await use_cases.show_board.figures(
            request.ctx, tx, site=site, first=first, last=last, priorities=_priorities(request)
        )
        of = counted.by_status
        body = {
            "from": first.isoformat(),
            "to": last.isoformat(),
            "open": sum(of.get(status, 0) for status in _OPEN_STATUSES),
            "planned": of.get(GuaranteeStatus.PLANNED, 0),
            "at_risk": of.get(GuaranteeStatus.AT_RISK, 0),
            "forecast_breach": of.get(GuaranteeStatus.FORECAST_BREACH, 0),
            "breached": of.get(GuaranteeStatus.BREACHED, 0),
            "met": of.get(GuaranteeStatus.MET, 0),
            "ended": of.get(GuaranteeStatus.ENDED, 0),
            "median_days": counted.median_days,
            "p90_days": counted.p90_days,
            "free_hours": free_hours,
        }
        return await request.answer(tx, msgspec.json.encode(body), media_type="application/json")


def _site(request: RequestContext) -> Site:
    return request.runtime.clinic.site(str(request.principal.site))


def _filter(request: RequestContext, site: Site) -> GuaranteeFilter:
    sort = request.query.get("_sort", "due")
    if sort not in _SORTS:
        raise UnsupportedSearch(f"sorted is by {' or '.join(_SORTS)}", expression="_sort")
    programme = request.query.get("programme")
    programmes = [one.id for one in request.runtime.clinic.programmes]
    if programme is not None and programme not in programmes:
        text = f"programme {programme[:64]!r} is none of {', '.join(programmes)}"
        raise UnsupportedSearch(text, expression="programme")
    earliest, latest = _bounds(request, site)
    return GuaranteeFilter(
        statuses=_statuses(request.query.get("status")),
        programme=programme,
        priorities=_priorities(request),
        due_from=earliest,
        due_until=latest,
        descending=sort == "-due",
    )


def _statuses(text: str | None) -> tuple[str, ...]:
    statuses = text.split(",") if text else list(GuaranteeStatus)
    for status in statuses:
        if status not in _STATUSES:
            text = f"status {status[:64]!r} is none of {', '.join(_STATUSES)}"
            raise UnsupportedSearch(text, expression="status")
    meant = [_OPEN_STATUSES if status == _OPEN else (status,) for status in statuses]
    return tuple(status for several in meant for status in several)


def _priorities(request: RequestContext) -> tuple[str, ...]:
    text = request.query.get("priority")
    priorities = tuple(text.split(",")) if text else ()
    for priority in priorities:
        if priority not in list(RequestPriority):
            text = f"priority {priority[:64]!r} is none of {', '.join(RequestPriority)}"
            raise UnsupportedSearch(text, expression="priority")
    return priorities


def _bounds(request: RequestContext, site: Site) -> tuple[datetime | None, datetime | None]:
    """Read between which moments guarantees end, both included: each ends with its last day."""
    earliest, latest = list[datetime](), list[datetime]()
    for text in request.query.getlist("due"):
        prefix, written = (text[:2], text[2:]) if text[:2] in _PREFIXES else ("eq", text)
        day = day_of(written, name="due")
        begins, ends = (
            rules.calendar.local_day_start(day, site.zone),
            rules.calendar.local_day_end(day, site.zone),
        )
        if prefix in ("eq", "ge", "gt"):
            after_that_day = ends + timedelta(microseconds=1)
            earliest.append(after_that_day if prefix == "gt" else ends)
        if prefix in ("eq", "le", "lt"):
            latest.append(begins if prefix == "lt" else ends)
    return max(earliest, default=None), min(latest, default=None)
