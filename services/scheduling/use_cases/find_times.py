"""Find the times at which a visit fits, and take none of them.

What is held or booked by then is not shown, and what is shown is promised to nobody.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta

from services.scheduling import queries, rules
from services.scheduling.models.booking import BookableVisit, FoundTime, TimesWanted
from services.scheduling.models.rows import Referral
from services.scheduling.models.spans import Span
from services.scheduling.rules.needs import Need
from services.scheduling.use_cases import search_times, self_book, time_of_patients
from services.scheduling.use_cases.availability_cache import AvailabilityCache, kept_need, kept_need_of_type
from shared.clinic import Programme
from shared.context import Context
from shared.db import Transaction
from shared.errors import Invalid, NotFound

_MOMENT = timedelta(seconds=1)


class NothingToFind(Invalid):
    """What is looked for says no visit, or no window."""


@dataclass(frozen=True, kw_only=True)
class FoundTimes:
    """The earliest times that fit; `is_all` where there are no others in the window."""

    times: Sequence[FoundTime]
    is_all: bool
    programme: str
    referral: Referral | None


async def run(ctx: Context, tx: Transaction, wanted: TimesWanted, *, cache: AvailabilityCache) -> FoundTimes:
    """Return the earliest times for the visits that are asked for, at most `limit`.

    Raises NotFound for a referral that the caller does not see, and NothingToFind where it is not said which
    visit is meant.
    """
    referral = await _referral(ctx, tx, wanted)
    programme = _programme(ctx, wanted, referral)
    same = None
    if wanted.same_clinician and referral is not None:
        same = await queries.referrals.clinicians_of(tx, referral.id)
    site_id = programme.site if referral is None else referral.site
    needs = [
        (visit, need)
        for visit in rules.booking.visits_for(ctx.caller, _visits(programme, wanted))
        if (need := _need(ctx, visit, programme, wanted, site_id=site_id, same=same, cache=cache))
    ]
    # What begins now begins too soon.
    window = Span(max(wanted.window.start, ctx.at + _MOMENT), wanted.window.end)
    when_not = time_of_patients.WhenNot()
    if referral is not None:
        when_not = (await time_of_patients.run(ctx, tx, [referral], window=window))[referral.id]
    fits = None
    if referral is not None and rules.self_booking.is_outside(ctx.caller):
        fits = await self_book.open_days(ctx, tx, referral, until=window.end)
    times = await search_times.run(
        ctx,
        tx,
        needs,
        programme=programme.id,
        window=window,
        when_not=when_not,
        limit=wanted.limit + 1,
        fits=fits,
    )
    is_all = len(times) <= wanted.limit
    return FoundTimes(times=times[: wanted.limit], is_all=is_all, programme=programme.id, referral=referral)


async def _referral(ctx: Context, tx: Transaction, wanted: TimesWanted) -> Referral | None:
    if wanted.referral_id is not None:
        referral = await queries.referrals.visible(tx, wanted.referral_id, scope_of=ctx.caller)
        if referral is None:
            raise NotFound(f"there is no ServiceRequest/{wanted.referral_id} here that you may see")
        return referral
    if wanted.patient_id is None:
        return None
    open_ones = await queries.referrals.open_and_visible(tx, wanted.patient_id, scope_of=ctx.caller)
    if len(open_ones) > 1:
        raise NothingToFind("the patient has several open referrals: name one", expression="referral")
    if not open_ones:
        raise NotFound("the patient has no open referral here that you may see")
    return open_ones[0]


def _programme(ctx: Context, wanted: TimesWanted, referral: Referral | None) -> Programme:
    """Find the programme of which a visit is meant, among those of the caller's site."""
    if referral is not None:
        return ctx.clinic.programme(referral.programme)
    site = ctx.caller.site
    able = [
        one
        for one in ctx.clinic.programmes
        if (site is None or one.site == site) and wanted.programme in (None, one.id) and _meant(one, wanted)
    ]
    if len(able) == 1:
        return able[0]
    allowed = ", ".join(one.id for one in able or ctx.clinic.programmes)
    raise NothingToFind(
        f"name the referral, or as service-type one programme that has the visit: {allowed}",
        expression="service-type",
    )


def _visits(programme: Programme, wanted: TimesWanted) -> Sequence[BookableVisit]:
    """List the visits that are meant; raises NothingToFind where there is none."""
    found = _meant(programme, wanted)
    if not found:
        names = ", ".join(visit.name for visit in rules.booking.visits_of(programme))
        raise NothingToFind(f"{programme.id} has the visits {names}", expression="visit-type")
    return found


def _meant(programme: Programme, wanted: TimesWanted) -> Sequence[BookableVisit]:
    return [
        visit
        for visit in rules.booking.visits_of(programme)
        if wanted.visit in (None, visit.name)
        and (wanted.specialty is None or wanted.specialty in visit.disciplines)
    ]


def _need(
    ctx: Context,
    visit: BookableVisit,
    programme: Programme,
    wanted: TimesWanted,
    *,
    site_id: str,
    same: Collection[str] | None,
    cache: AvailabilityCache,
) -> Need | None:
    """Work out what a visit needs, as far as the caller books it and nothing else is asked for.

    Where it is to be the `same` clinician, one of these leads it.
    """
    if visit.type is not None:
        kept = kept_need_of_type(ctx, visit.type, site_id=site_id, cache=cache, programme=programme.id)
    else:
        own, purpose = rules.needs.own_visit(programme, visit.kind, visit.disciplines[0])
        kept = kept_need(ctx, own, site_id=site_id, purpose=purpose, cache=cache, programme=programme.id)
    need = rules.booking.open_to(ctx.caller, kept.need)
    if need is not None and same is not None:
        need = need.led_by(same)
    if need is None:
        return None
    return rules.booking.narrowed(
        need,
        practitioners=wanted.practitioners,
        language=wanted.language,
        locations=wanted.locations,
        wheelchair=wanted.wheelchair,
    )
