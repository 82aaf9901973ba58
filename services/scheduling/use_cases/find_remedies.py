"""Find the times that would help guarantees in danger, and take none of them.

What is taken in the next weeks is read by one statement for each call, whatever the number of guarantees; two
of them are shown no time that only one could have.
"""

from collections.abc import Mapping, Sequence
from uuid import UUID

from services.scheduling import queries, rules
from services.scheduling.models.guarantees import REMEDY_LOOK, GuaranteeOverview, Remedy
from services.scheduling.models.spans import Span, Taken
from services.scheduling.rules.candidates import Candidate, Openings
from services.scheduling.rules.needs import Need
from services.scheduling.use_cases import time_of_patients
from services.scheduling.use_cases.time_of_patients import WhenNot
from shared.clinic import Site
from shared.context import Context
from shared.db import Transaction
from shared.fhir.codes import AppointmentKind

# Of a longer page the rest have no remedy shown; they are the least urgent.
_AT_ONCE = 50


class _FreeTime:
    """What is free for first visits of some programmes in the weeks to come."""

    def __init__(
        self, site: Site, *, window: Span, needs: Mapping[str, Need], taken: Sequence[Taken]
    ) -> None:
        weeks = list(rules.calendar.local_weeks(window, site.zone))
        self._weeks = {
            programme: {week: Openings(need, taken=of_need, span=week) for week in weeks}
            for (programme, need), of_need in zip(needs.items(), taken, strict=True)
        }

    def take_first(self, programme: str, *, window: Span, when_not: WhenNot) -> Candidate | None:
        """Find the earliest time in a window, and count it as taken from now on, for whatever programme."""
        for week, openings in self._weeks.get(programme, {}).items():
            part = Span(max(week.start, window.start), min(week.end, window.end))
            found = None
            if part.start < part.end:
                found = openings.first(never=when_not.never, barred=when_not.barred, window=part)
            if found is not None:
                for of_programme in self._weeks.values():
                    of_programme[week].take(found)
                return found
        return None


async def run(
    ctx: Context, tx: Transaction, rows: Sequence[GuaranteeOverview], *, site: Site
) -> Mapping[UUID, Remedy]:
    """Return what would help, by the guarantee's id, for those of the first rows that can be helped."""
    helped = [row for row in rows if rules.board.act_that_helps(row, now=ctx.at)][:_AT_ONCE]
    if not helped:
        return {}
    # The weeks of all of them begin with whoever may come soonest.
    start = min(
        rules.notice.earliest_start(now=ctx.at, zone=site.zone, priority=row.referral.priority)
        for row in helped
    )
    window = Span(start, max(start, ctx.at + REMEDY_LOOK))
    free = await _free_time(ctx, tx, helped, site=site, window=window)
    when_not = await time_of_patients.run(ctx, tx, [row.referral for row in helped], window=window)
    found = {}
    for row in helped:
        asked = rules.board.window_of_remedy(row, now=ctx.at, site=site)
        candidate = free.take_first(row.referral.programme, window=asked, when_not=when_not[row.referral.id])
        if (remedy := rules.board.remedy(row, candidate, now=ctx.at)) is not None:
            found[row.guarantee.id] = remedy
    return found


async def _free_time(
    ctx: Context, tx: Transaction, rows: Sequence[GuaranteeOverview], *, site: Site, window: Span
) -> _FreeTime:
    """Read what is taken of all that the programmes of these rows need; a programme that is gone has none."""
    wanted = {row.referral.programme for row in rows}
    needs = {
        programme.id: rules.needs.need_of_kind(
            ctx.clinic, site_id=site.id, programme=programme, kind=AppointmentKind.FIRST
        )
        for programme in ctx.clinic.programmes
        if programme.id in wanted
    }
    taken = await queries.occupancy.taken_in(
        tx, [(need.resources, window) for need in needs.values()], at=ctx.at
    )
    return _FreeTime(site, window=window, needs=needs, taken=taken)
