"""Give every site that has no roster yet the one that clinic.yaml says, once.

Invariants:
- Where a roster is, nothing of people, rooms, closed days and visits is read from the file any more; where
  the two differ, that is logged.
- Of several workers that start at once, one seeds and the others wait for it.
"""

from collections.abc import Iterator
from dataclasses import replace

import structlog

from services.scheduling import fhir, rules
from services.scheduling.models.rows import UnavailableTime
from services.scheduling.models.spans import Span
from services.scheduling.use_cases import change_roster
from shared.clinic import Clinic, Site
from shared.clinic.roster import laid_over, roster_of
from shared.context import Context
from shared.db import Transaction
from shared.fhir import store
from shared.roster import rows

log = structlog.get_logger()


async def run(ctx: Context, tx: Transaction) -> Context:
    """Seed what has no roster, and return the context whose clinic has the rosters of all sites."""
    described = ctx.clinic if ctx.current is None else ctx.current.described
    for site in described.sites:
        roster = roster_of(described, site_id=site.id)
        row = rows.row_of(roster, revision=1, at=ctx.at)
        if await rows.insert(tx, row):
            for absence in _unavailable(described, site):
                await store.insert(tx, absence, fhir.unavailable.render(ctx, absence), at=ctx.at)
            await change_roster.announce(ctx, tx, row)
    kept = [row.roster for row in await rows.everything(tx)]
    known = {site.id for site in described.sites}
    for roster in kept:
        if roster.site in known and roster != roster_of(described, site_id=roster.site):
            log.info("roster.differs-from-the-file", site=roster.site, counts="the roster")
    return replace(ctx, clinic=laid_over(described, kept))


def _unavailable(described: Clinic, site: Site) -> Iterator[UnavailableTime]:
    """Go through the absences and closed days that the file has of a site."""
    spans: list[tuple[str | None, Span]] = [
        (None, rules.calendar.span_between(day, day, site.zone)) for day in site.closed
    ]
    for person in described.people:
        if person.site == site.id:
            spans += [(person.id, rules.calendar.absent_span(one, site.zone)) for one in person.absences]
    for person_id, span in spans:
        yield UnavailableTime(site=site.id, person=person_id, starts_at=span.start, ends_at=span.end)
