"""Read what a site has free for first visits, who waits for a day, and how many are expected."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from services.scheduling import queries, rules
from services.scheduling.models.demand import Outlook, Unscheduled
from services.scheduling.models.rows import Appointment, Referral
from services.scheduling.rules.day_book import BookedDays
from services.scheduling.rules.needs import need_of
from shared.clinic import Site
from shared.context import Context
from shared.db import Transaction

_DAY = timedelta(days=1)


async def run(
    ctx: Context,
    tx: Transaction,
    site: Site,
    *,
    days: int,
    promised: Sequence[tuple[Appointment, Referral]] | None = None,
) -> Outlook:
    """Read the outlook of so many local days from tomorrow on; `promised` says who waits, if it was read."""
    if promised is None:
        promised = await queries.arrivals.promised(tx, site.id)
    today = ctx.at.astimezone(site.zone).date()
    programmes = [programme for programme in ctx.clinic.programmes if programme.site == site.id]
    looked = BookedDays(
        needs={
            programme.id: need_of(ctx.clinic, site_id=site.id, visit=programme.first, purpose="first")
            for programme in programmes
        },
        days=[today + _DAY * number for number in range(1, days + 1)],
    )
    taken = await queries.occupancy.taken(tx, looked.resources, window=looked.window, at=ctx.at)
    since = ctx.at - timedelta(weeks=rules.arrival_rates.LEARNED_WEEKS)
    counts = await queries.arrivals.counts(tx, site.id, since=since, now=ctx.at)
    return Outlook(
        book=rules.day_book.book_of(looked, taken=taken),
        waiting=[unscheduled(*one, site=site) for one in promised],
        expected=rules.arrivals.expected(
            counts,
            prior=ctx.clinic.scheduling.expected_per_week,
            programmes=[programme.id for programme in programmes],
            days=looked.days[: ctx.clinic.scheduling.look_ahead_days],
        ),
        terms=rules.plan_terms.terms_of(ctx.clinic),
        today=today,
    )


def unscheduled(visit: Appointment, referral: Referral, *, site: Site) -> Unscheduled:
    """Say of a first visit without a day what a plan must know of it; its id is the visit's."""
    who = of_referral(referral, site=site)
    since = visit.waits_since.astimezone(site.zone).date() if visit.waits_since else who.sent_on
    return replace(who, id=str(visit.id), since=since)


def of_referral(referral: Referral, *, site: Site) -> Unscheduled:
    """Say of a referral what a day must fit, whatever visit it has."""
    zone = site.zone
    sent_on = referral.sent_at.astimezone(zone).date()
    away = [(_first_whole_day(span.start, zone), span.end.astimezone(zone).date()) for span in referral.away]
    return Unscheduled(
        id=str(referral.id),
        priority=referral.priority,
        need=referral.programme,
        sent_on=sent_on,
        due_on=referral.due_on,
        since=sent_on,
        can_come=lambda day: not any(first <= day < end for first, end in away),
    )


def _first_whole_day(start: datetime, zone: ZoneInfo) -> date:
    """Return the first local day that a patient is away for from its beginning."""
    day = start.astimezone(zone).date()
    return day if rules.calendar.local_day_start(day, zone) >= start else day + _DAY
