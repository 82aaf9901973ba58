"""Say by the clinic's policy from which day on a time is looked for, or that a day follows."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

from services.scheduling import rules
from services.scheduling.models.rows import Appointment, Referral
from services.scheduling.rules.first_answer import FirstAnswer
from services.scheduling.use_cases import read_outlook
from services.scheduling.use_cases.availability_cache import AvailabilityCache, KeptOutlook
from shared.clinic import SchedulingPolicy, Site
from shared.context import Context
from shared.db import Transaction

# What is read reaches to the end of the longest promise at least, so that it serves the next referral too.
_LEAST_DAYS = 28


async def run(
    ctx: Context,
    tx: Transaction,
    asked: Sequence[tuple[Appointment, Referral]],
    *,
    cache: AvailabilityCache,
) -> list[FirstAnswer]:
    """Answer for each visit in turn; each counts what those before it at its site were given.

    The earliest policy reads nothing.
    """
    if ctx.clinic.scheduling.policy is SchedulingPolicy.EARLIEST:
        return [FirstAnswer() for _ in asked]
    return [await _answer(ctx, tx, visit, referral, cache=cache) for visit, referral in asked]


async def _answer(
    ctx: Context, tx: Transaction, visit: Appointment, referral: Referral, *, cache: AvailabilityCache
) -> FirstAnswer:
    site, numbers = ctx.clinic.site(referral.site), ctx.clinic.scheduling
    kept = await _outlook(ctx, tx, site, until=referral.due_on, cache=cache)
    who = read_outlook.unscheduled(visit, referral, site=site)
    answer = rules.first_answer.answer(
        who, kept.outlook, policy=numbers.policy, at_once_below=numbers.at_once_below
    )
    if answer.is_promise:
        kept.waiting[:] = [*(one for one in kept.waiting if one.id != who.id), who]
    else:
        kept.take(who.need, from_day=answer.from_day)
    return answer


async def _outlook(
    ctx: Context, tx: Transaction, site: Site, *, until: date, cache: AvailabilityCache
) -> KeptOutlook:
    """Return what the site has free up to a day: as it was kept a moment ago, else as it is read now."""
    today = ctx.at.astimezone(site.zone).date()
    kept = cache.outlooks.get(site.id)
    if kept is not None and kept.is_good(ctx, today=today, until=until):
        return kept
    days = max(_LEAST_DAYS, (until - today).days)
    read = await read_outlook.run(ctx, tx, site, days=days)
    free, waiting = dict(read.book.free), list(read.waiting)
    cache.outlooks[site.id] = kept = KeptOutlook(
        clinic=ctx.clinic,
        outlook=replace(read, book=replace(read.book, free=free), waiting=waiting),
        free=free,
        waiting=waiting,
        read_at=ctx.at,
        last_day=today + timedelta(days=days),
    )
    return kept
