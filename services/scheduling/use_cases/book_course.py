"""Take times for everything that is left of a course of several disciplines, or for nothing of it.

What is found is claimed in one statement, groups seat by seat behind it; whoever loses a time to somebody
else looks again, and a search that loses too often takes nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from services.scheduling import queries, rules
from services.scheduling.models.rows import Appointment, GroupSession, Referral, Series
from services.scheduling.models.spans import Span
from services.scheduling.rules.candidates import Candidate
from services.scheduling.rules.course_plan import CoursePlan
from services.scheduling.rules.moving import CannotMove
from services.scheduling.rules.series_search import NoWeek, PlannedVisit, SeriesSearch
from services.scheduling.rules.series_strands import Occupied, Strand
from services.scheduling.use_cases import claim_sessions, record, take_seat
from shared.clinic import Programme
from shared.context import Context
from shared.db import Transaction
from shared.reasons import Reason

# A plan that loses a race is made anew from what the others took; each round somebody else has booked.
_ROUNDS = 20


async def run(
    ctx: Context,
    tx: Transaction,
    referral: Referral,
    series: Series,
    *,
    plan: CoursePlan,
    partly: bool = False,
) -> list[Appointment] | list[Reason]:
    """Return the visits of a course with the times that they have taken, unsaved; or why none is taken.

    `partly` takes the weeks that have room before the first that has none.
    """
    programme = ctx.clinic.programme(referral.programme)
    for _ in range(claim_sessions.ROUNDS):
        strands = [await _with_groups(ctx, tx, strand, referral=referral) for strand in plan.strands]
        occupied = await claim_sessions.occupied_of(
            ctx, tx, referral, resources=plan.resources, window=plan.look
        )
        search = SeriesSearch(strands, bounds=plan.bounds, window=plan.window, occupied=occupied)
        found = search.run()
        if isinstance(found, NoWeek) and partly and found.planned:
            found = [*found.planned]
        if isinstance(found, NoWeek):
            return _refusal(found, plan=plan, strands=strands, occupied=occupied)
        rows = [(_row(ctx, referral, series, programme, visit), visit) for visit in found]
        if await _claim(ctx, tx, rows):
            return [row for row, _ in rows]
    return [Reason.of("contended")]


async def _with_groups(ctx: Context, tx: Transaction, strand: Strand, *, referral: Referral) -> Strand:
    """Add to a strand the sessions of its group in which there is a seat."""
    if strand.need.seats is None or strand.visit_type is None:
        return strand
    sessions = await queries.group_sessions.joinable(
        tx,
        site=referral.site,
        programme=referral.programme,
        visit_type=strand.visit_type,
        window=strand.window,
        at=ctx.at,
    )
    taken = await queries.group_sessions.seats_gone(tx, [session.id for session in sessions], at=ctx.at)
    open_ones = [one for one in sessions if rules.groups.is_for(one, strand.need, taken=taken[one.id])]
    return replace(strand, joins={one.starts_at: _place_in(one) for one in open_ones})


def _place_in(session: GroupSession) -> Candidate:
    return Candidate(
        person=session.practitioner,
        room=session.room,
        span=Span(session.starts_at, session.ends_at),
        colleagues=tuple(session.colleagues),
        equipment=tuple(session.equipment),
    )


async def _claim(ctx: Context, tx: Transaction, rows: Sequence[tuple[Appointment, PlannedVisit]]) -> bool:
    """Take the time of every visit, or of none."""
    alone = [(row, visit.place) for row, visit in rows if visit.strand.need.seats is None]
    in_groups = [(row, visit) for row, visit in rows if visit.strand.need.seats is not None]
    claims = [record.claim_of(row, place) for row, place in alone]
    if not in_groups:
        return await queries.occupancy.claim_all(tx, claims, at=ctx.at)
    await queries.savepoints.begin(tx)
    try:
        whole = not claims or await queries.occupancy.claim_all(tx, claims, at=ctx.at)
        for row, visit in in_groups if whole else ():
            await take_seat.run(ctx, tx, row, visit.place.span, need=visit.strand.need)
    except CannotMove:
        whole = False
    await queries.savepoints.end(tx, keep=whole)
    return whole


def _row(
    ctx: Context, referral: Referral, series: Series, programme: Programme, visit: PlannedVisit
) -> Appointment:
    strand = visit.strand
    row = claim_sessions.new_visit(
        referral,
        series,
        need=strand.need,
        discipline=None if strand.visit_type else strand.key,
        kind=rules.course_plan.kind_of(programme, strand),
        visit_type=strand.visit_type,
    )
    if strand.need.seats is None:
        record.put_into(row, visit.place)
    return row


def _refusal(
    failed: NoWeek, *, plan: CoursePlan, strands: Sequence[Strand], occupied: Occupied
) -> list[Reason]:
    """Say what has no room in which week, what is free instead, and when a block of whole days begins."""
    strand, zone = failed.strand, failed.strand.need.site.zone
    missing = Reason.of("no-room-in-week", discipline=strand.key, week=failed.week)
    monday = rules.calendar.local_day_start(failed.week, zone)
    instead = _alternatives(strand, occupied, planned=failed.planned, after=monday, plan=plan)
    reasons = rules.series.free_instead(instead)
    if plan.is_intensive:
        whole = [replace(one, window=Span(one.window.start, plan.look.end)) for one in strands]
        search = SeriesSearch(whole, bounds=plan.bounds, window=plan.look, occupied=occupied)
        begins = search.earliest_block()
        reasons.append(
            Reason.of("no-block-begins") if begins is None else Reason.of("block-begins", week=begins)
        )
    return [missing, *(reasons or [Reason.of("nothing-free")])]


def _alternatives(
    strand: Strand, occupied: Occupied, *, planned: Iterable[PlannedVisit], after: datetime, plan: CoursePlan
) -> list[Candidate]:
    """Find the earliest times of three other days for what has no room, beside all that was planned."""
    zone = strand.need.site.zone
    mine = {
        visit.place.span.start.astimezone(zone).date() for visit in planned if visit.strand.key == strand.key
    }
    others = rules.candidates.in_order(
        strand.need,
        taken=occupied.taken,
        never=[*occupied.patient, *(visit.place.span for visit in planned)],
        barred=occupied.barred,
        window=Span(max(after, plan.look.start), plan.look.end),
    )
    return rules.series.on_other_days(others, days=mine, zone=zone)
