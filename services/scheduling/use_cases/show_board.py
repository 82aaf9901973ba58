"""Show the guarantees of a site: a page with what would help each, and their figures."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from services.scheduling import fhir, queries, rules
from services.scheduling.models.guarantees import GuaranteeFigures, GuaranteeFilter, GuaranteeOverview
from services.scheduling.models.spans import Span
from services.scheduling.use_cases import find_remedies
from shared.clinic import Site
from shared.context import Context
from shared.db import Transaction

# How far ahead free hours are counted.
_FREE_DAYS = timedelta(days=28)


async def page(
    ctx: Context, tx: Transaction, asked: GuaranteeFilter, *, site: Site, count: int, after: str | None
) -> tuple[Sequence[GuaranteeOverview], dict[str, Any]]:
    """Return the guarantees of a page, and the page as it is written; raises Invalid for a foreign token."""
    ids, total, following = await queries.board.page(tx, ctx.caller, asked, count=count, after=after)
    rows = await queries.board.overviews(tx, ids)
    remedies = await find_remedies.run(ctx, tx, rows, site=site)
    today = ctx.at.astimezone(site.zone).date()
    written = []
    for row in rows:
        days = (rules.board.days_waited(row, today=today, site=site), rules.board.days_left(row, today=today))
        remedy = remedies.get(row.guarantee.id)
        shown = []
        if remedy is not None:
            reason = rules.board.remedy_reason(remedy, due_at=row.referral.due_at)
            shown = [fhir.guarantees.describe_remedy(ctx, remedy, reason=reason)]
        why = rules.board.why(row)
        written.append(fhir.guarantees.describe(ctx, row, days=days, reason=why, remedies=shown))
    return rows, {"total": total, "next": following, "rows": written}


async def figures(
    ctx: Context, tx: Transaction, *, site: Site, first: date, last: date, priorities: Sequence[str] = ()
) -> tuple[GuaranteeFigures, int]:
    """Count the guarantees that end from one local day to another, and the free hours to come.

    Those of these `priorities` are counted, or of all where none is named.
    """
    # A guarantee ends with its last day, which is the moment at which the next one begins.
    begins = rules.calendar.local_day_start(first, site.zone)
    ends = rules.calendar.local_day_end(last, site.zone)
    counted = await queries.board.figures(tx, site.id, after=begins, until=ends, priorities=priorities)
    return counted, await _free_hours(ctx, tx, site)


async def _free_hours(ctx: Context, tx: Transaction, site: Site) -> int:
    window = Span(ctx.at, ctx.at + _FREE_DAYS)
    people = [person for person in ctx.clinic.people if person.site == site.id]
    keys = [rules.needs.person_key(person.id) for person in people]
    taken = await queries.occupancy.taken(tx, keys, window=window, at=ctx.at)
    spans = [
        span
        for person in people
        for span in rules.free_time.of_person(person, site=site, taken=taken, window=window)
    ]
    return int(sum((span.end - span.start for span in spans), timedelta()) / timedelta(hours=1))
