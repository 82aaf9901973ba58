"""Go through the calendar for the earliest times of visits.

What is taken is read a few days at a time, as far as the wanted number of times lies.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from heapq import merge
from itertools import islice

from services.scheduling import queries, rules
from services.scheduling.models.booking import BookableVisit, FoundTime
from services.scheduling.models.rows import GroupSession
from services.scheduling.models.spans import Span, Taken
from services.scheduling.rules.candidates import Candidate, Openings
from services.scheduling.rules.needs import Need
from services.scheduling.use_cases.time_of_patients import WhenNot
from shared.context import Context
from shared.db import Transaction

# Days of the slices that are read; the last one goes on.
_LENGTHS = (1, 2, 4, 7)


async def run(
    ctx: Context,
    tx: Transaction,
    needs: Sequence[tuple[BookableVisit, Need]],
    *,
    programme: str,
    window: Span,
    when_not: WhenNot,
    limit: int,
    fits: Callable[[datetime], bool] | None = None,
) -> list[FoundTime]:
    """Return the earliest times of visits by what each needs, at most `limit`, of those that fit."""
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
    when_not: WhenNot,
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
        taken = await queries.group_sessions.seats_gone(tx, [session.id for session in sessions], at=ctx.at)
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
    visit: BookableVisit, need: Need, *, taken: Taken, span: Span, when_not: WhenNot
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
