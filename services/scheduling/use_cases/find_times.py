"""Find the times at which a visit fits, and take none of them.

What is taken is read a few days at a time, as far as the wanted number of times lies; what is held or booked
by then is not shown, and what is shown is promised to nobody.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import merge
from itertools import islice

from services.scheduling import queries, rules
from services.scheduling.models.booking import BookableVisit, FoundTime, TimesWanted
from services.scheduling.models.rows import GroupSession, Referral
from services.scheduling.models.spans import NOTHING_TAKEN, Span, Taken
from services.scheduling.rules.candidates import Candidate, Openings
from services.scheduling.rules.needs import Need, patient_key
from services.scheduling.use_cases import self_book
from services.scheduling.use_cases.availability_cache import AvailabilityCache, kept_need, kept_need_of_type
from shared.clinic import Programme
from shared.context import Context
from shared.db import Transaction
from shared.errors import Invalid, NotFound
from shared.fhir.codes import AppointmentKind

_MOMENT = timedelta(seconds=1)
# Days of the slices that are read; the last one goes on.
_LENGTHS = (1, 2, 4, 7)


class NothingToFind(Invalid):
    """What is looked for says no visit, or no window."""


@dataclass(frozen=True, kw_only=True)
class FoundTimes:
    """The earliest times that fit; `is_all` where there are no others in the window."""

    times: Sequence[FoundTime]
    is_all: bool
    programme: str
    referral: Referral | None


@dataclass(frozen=True, kw_only=True)
class _WhenNot:
    """When a patient cannot come at all, and when not with a clinician or in a room."""

    never: Sequence[Span] = ()
    barred: Taken = field(default_factory=lambda: NOTHING_TAKEN)


async def run(ctx: Context, tx: Transaction, wanted: TimesWanted, *, cache: AvailabilityCache) -> FoundTimes:
    """Return the earliest times for the visits that are asked for, at most `limit`.

    Raises NotFound for a referral that the caller does not see, and NothingToFind where it is not said which
    visit is meant.
    """
    referral = await _referral(ctx, tx, wanted)
    programme = _programme(ctx, wanted, referral)
    needs = [
        (visit, need)
        for visit in rules.booking.visits_for(ctx.caller, _visits(programme, wanted))
        if (need := await _need(ctx, tx, visit, programme, wanted, referral=referral, cache=cache))
    ]
    # What begins now begins too soon.
    window = Span(max(wanted.window.start, ctx.at + _MOMENT), wanted.window.end)
    when_not = _WhenNot() if referral is None else await _when_not(ctx, tx, referral, window=window)
    fits = None
    if referral is not None and rules.self_booking.is_outside(ctx.caller):
        fits = await self_book.open_days(ctx, tx, referral, until=window.end)
    times = await _search(
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
        if (site is None or one.site == site)
        and wanted.programme in (None, one.id)
        and _visits(one, wanted, is_strict=False)
    ]
    if len(able) == 1:
        return able[0]
    allowed = ", ".join(one.id for one in able or ctx.clinic.programmes)
    raise NothingToFind(
        f"name the referral, or as service-type one programme that has the visit: {allowed}",
        expression="service-type",
    )


def _visits(programme: Programme, wanted: TimesWanted, *, is_strict: bool = True) -> Sequence[BookableVisit]:
    """List the visits that are meant; raises NothingToFind where there is none, unless not `is_strict`."""
    found = [
        visit
        for visit in rules.booking.visits_of(programme)
        if wanted.visit in (None, visit.name)
        and (wanted.specialty is None or wanted.specialty in visit.disciplines)
    ]
    if is_strict and not found:
        names = ", ".join(visit.name for visit in rules.booking.visits_of(programme))
        raise NothingToFind(f"{programme.id} has the visits {names}", expression="visit-type")
    return found


async def _need(
    ctx: Context,
    tx: Transaction,
    visit: BookableVisit,
    programme: Programme,
    wanted: TimesWanted,
    *,
    referral: Referral | None,
    cache: AvailabilityCache,
) -> Need | None:
    """Work out what a visit needs, as far as the caller books it and nothing else is asked for."""
    site_id = programme.site if referral is None else referral.site
    if visit.kind == AppointmentKind.SESSION and programme.sessions is not None:
        kept = kept_need(ctx, programme.sessions, site_id=site_id, purpose="session", cache=cache)
    elif visit.type is None:
        kept = kept_need(ctx, programme.first, site_id=site_id, purpose="first", cache=cache)
    else:
        kept = kept_need_of_type(ctx, visit.type, site_id=site_id, cache=cache)
    need = rules.booking.open_to(ctx.caller, kept.need)
    if need is not None and wanted.same_clinician and referral is not None:
        need = need.led_by(await queries.referrals.clinicians_of(tx, referral.id))
    if need is None:
        return None
    return rules.booking.narrowed(
        need,
        practitioners=wanted.practitioners,
        language=wanted.language,
        locations=wanted.locations,
        wheelchair=wanted.wheelchair,
    )


async def _when_not(ctx: Context, tx: Transaction, referral: Referral, *, window: Span) -> _WhenNot:
    patient, key = referral.patient_id, patient_key(referral.patient_id)
    taken, given_up = await queries.given_up.and_taken(
        tx, [key], patients=[patient], window=window, at=ctx.at
    )
    barred = given_up.get(patient, NOTHING_TAKEN)
    never = rules.given_up.never_for(patient, away=referral.away, has=taken.get(key, ()), given_up=barred)
    return _WhenNot(never=never, barred=barred)


async def _search(
    ctx: Context,
    tx: Transaction,
    needs: Sequence[tuple[BookableVisit, Need]],
    *,
    programme: str,
    window: Span,
    when_not: _WhenNot,
    limit: int,
    fits: Callable[[datetime], bool] | None = None,
) -> list[FoundTime]:
    found: list[FoundTime] = []
    groups = await _open_groups(ctx, tx, needs, programme=programme, window=window, when_not=when_not)
    for span in _slices(needs, window):
        taken = await queries.occupancy.taken_in(tx, [(need.resources, span) for _, need in needs], at=ctx.at)
        each = [
            _in_order(visit, need, taken=of_need, span=span, when_not=when_not)
            for (visit, need), of_need in zip(needs, taken, strict=True)
        ]
        in_order = merge(_groups_in(groups, span), *each, key=_by_time)
        allowed = in_order if fits is None else (one for one in in_order if fits(one.span.start))
        found += islice(allowed, limit - len(found))
        if len(found) >= limit:
            break
    return found


async def _open_groups(
    ctx: Context,
    tx: Transaction,
    needs: Sequence[tuple[BookableVisit, Need]],
    *,
    programme: str,
    window: Span,
    when_not: _WhenNot,
) -> list[FoundTime]:
    """List the group sessions in which there is a seat for the patient, the earliest first."""
    found = []
    for visit, need in needs:
        if visit.type is None or need.seats is None:
            continue
        sessions = await queries.group_sessions.joinable(
            tx,
            site=need.site.id,
            programme=programme,
            visit_type=visit.type.id,
            window=window,
            at=ctx.at,
        )
        taken = await queries.group_sessions.seats_taken(tx, [session.id for session in sessions])
        found += [
            _of_session(visit, session)
            for session in sessions
            if rules.groups.is_for(session, need, taken=taken[session.id])
            and rules.groups.can_come(session, never=when_not.never, barred=when_not.barred)
        ]
    return sorted(found, key=_by_time)


def _groups_in(groups: Sequence[FoundTime], span: Span) -> Sequence[FoundTime]:
    """List those of the group sessions that begin inside a slice."""
    return [found for found in groups if span.start <= found.span.start < span.end]


def _of_session(visit: BookableVisit, session: GroupSession) -> FoundTime:
    return FoundTime(
        visit=visit,
        span=Span(session.starts_at, session.ends_at),
        people=(session.practitioner, *session.colleagues),
        room=session.room,
        equipment=session.equipment,
    )


def _in_order(
    visit: BookableVisit, need: Need, *, taken: Taken, span: Span, when_not: _WhenNot
) -> Iterator[FoundTime]:
    openings = Openings(need, taken=taken, span=span)
    for one in openings.in_order(never=when_not.never, barred=when_not.barred, window=span):
        yield _found(visit, one)


def _found(visit: BookableVisit, one: Candidate) -> FoundTime:
    people = (one.person, *one.colleagues)
    return FoundTime(visit=visit, span=one.span, people=people, room=one.room, equipment=one.equipment)


def _slices(needs: Sequence[tuple[BookableVisit, Need]], window: Span) -> Iterator[Span]:
    """Cut the window at local midnights; no visit goes over one."""
    if not needs:
        return
    zone, start, number = needs[0][1].site.zone, window.start, 0
    while start < window.end:
        days = _LENGTHS[min(number, len(_LENGTHS) - 1)]
        day = start.astimezone(zone).date() + rules.calendar.DAY * days
        end = min(rules.calendar.local_day_start(day, zone), window.end)
        yield Span(start, end)
        start, number = end, number + 1


def _by_time(found: FoundTime) -> datetime:
    return found.span.start
