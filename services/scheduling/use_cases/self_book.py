"""What the carve-out leaves to a referral whose first visit is booked from outside the clinic."""

from collections.abc import Callable
from datetime import date, datetime

from services.scheduling import queries, rules, texts
from services.scheduling.models.rows import Referral
from services.scheduling.rules.moving import cannot_move
from services.scheduling.use_cases import read_outlook
from services.scheduling.use_cases.change import VisitOfAnother
from shared.context import Context
from shared.db import Transaction
from shared.reasons import Reason


async def open_days(
    ctx: Context, tx: Transaction, referral: Referral, *, until: datetime
) -> Callable[[datetime], bool]:
    """Return what tells whether a first visit may begin at a time, up to a moment."""
    zone = ctx.clinic.site(referral.site).zone
    allowed = rules.self_booking.window(
        referral, now=ctx.at, second_days=ctx.clinic.guarantee.second_days, zone=zone
    )
    is_open = await _is_open(ctx, tx, referral, until=min(until, allowed.end))

    def fits(start: datetime) -> bool:
        late = rules.self_booking.why_not_then(start, allowed=allowed)
        return late is None and is_open(start.astimezone(zone).date())

    return fits


async def check(
    ctx: Context, tx: Transaction, referral: Referral, *, is_first: bool, start: datetime
) -> None:
    """Hold what is booked from outside against the carve-out; raises VisitOfAnother and CannotMove.

    Of those who book at one site at a time each sees what the ones before have left.
    """
    if not is_first:
        raise VisitOfAnother.because(Reason.of("first-visits-only"), texts.REASONS)
    zone = ctx.clinic.site(referral.site).zone
    allowed = rules.self_booking.window(
        referral, now=ctx.at, second_days=ctx.clinic.guarantee.second_days, zone=zone
    )
    if (why := rules.self_booking.why_not_then(start, allowed=allowed)) is not None:
        raise cannot_move(why)
    await queries.tasks.lock_self_booking(tx, referral.site)
    day = start.astimezone(zone).date()
    if not (await _is_open(ctx, tx, referral, until=start))(day):
        raise cannot_move(Reason.of("day-is-kept", day=day))


async def _is_open(
    ctx: Context, tx: Transaction, referral: Referral, *, until: datetime
) -> Callable[[date], bool]:
    site = ctx.clinic.site(referral.site)
    today, last = ctx.at.astimezone(site.zone).date(), until.astimezone(site.zone).date()
    outlook = await read_outlook.run(ctx, tx, site, days=max(1, (last - today).days))
    who = read_outlook.of_referral(referral, site=site)
    return lambda day: day > today and rules.self_booking.is_open(who, outlook, day=day)
