"""Take times for several sessions of one discipline at one pace, or for none of them.

Whoever loses a time to somebody else looks again; who loses too often takes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from services.scheduling import queries, rules
from services.scheduling.models.rows import Appointment, Referral, Series
from services.scheduling.models.spans import NOTHING_TAKEN, Span
from services.scheduling.rules.entitlement import Entitlement
from services.scheduling.rules.series import NoSeries, Pace
from services.scheduling.rules.series_strands import Occupied
from services.scheduling.states import AppointmentStatus
from services.scheduling.use_cases import record
from shared.clinic import Course
from shared.context import Context
from shared.db import Transaction
from shared.fhir.codes import AppointmentKind
from shared.reasons import Reason

# A plan that loses a race is made anew from what the others took; each round somebody else has booked.
ROUNDS = 20


@dataclass(frozen=True, kw_only=True)
class SeriesRequest:
    """What a series of one discipline asks for: `window` is where its sessions may lie, `spare` where to look
    for others.
    """

    discipline: str
    need: rules.needs.Need
    pace: Pace
    window: Span
    spare: Span

    def from_day(self, day: date, *, zone: ZoneInfo, within: timedelta) -> "SeriesRequest":
        """Return the same request from a local day on, for so long at the most."""
        start = max(self.window.start, rules.calendar.local_day_start(day, zone))
        end = min(self.window.end, start + within)
        return replace(self, window=Span(start, max(start, end)))


def request_of(
    ctx: Context,
    referral: Referral,
    *,
    discipline: str,
    count: int,
    entitled: Entitlement,
    kept: Sequence[Appointment],
    after: datetime,
) -> SeriesRequest:
    """Ask for as many sessions of a discipline as there are to be in all, beside those that are kept."""
    course, programme = course_of(ctx, referral), ctx.clinic.programme(referral.programme)
    visit, purpose = rules.needs.own_visit(programme, AppointmentKind.SESSION, discipline)
    need = rules.needs.need_of(
        ctx.clinic, site_id=referral.site, visit=visit, purpose=purpose, programme=programme.id
    ).as_of(ctx.at)
    zone, per_week = need.site.zone, course.most_per_week(discipline)
    only = rules.needs.only_discipline(course)
    of_discipline = rules.series_state.sessions_in(kept, discipline=discipline, only=only)
    window, spare = rules.series.windows(
        entitled.of(discipline), per_week=per_week, after=after, now=ctx.at, zone=zone
    )
    weeks = rules.series_state.weeks_of(of_discipline, zone=zone)
    pace = Pace(count=count - len(of_discipline), per_week=per_week, already=weeks)
    return SeriesRequest(discipline=discipline, need=need, pace=pace, window=window, spare=spare)


async def claimed(
    ctx: Context, tx: Transaction, referral: Referral, series: Series, *, request: SeriesRequest
) -> list[Appointment] | NoSeries:
    """Take times for all sessions that are asked for, and return them unsaved; or none of them."""
    for _ in range(ROUNDS):
        occupied = await occupied_of(
            ctx, tx, referral, resources=request.need.resources, window=request.spare
        )
        plan = rules.series.plan(
            request.need,
            pace=request.pace,
            taken=occupied.taken,
            patient=occupied.patient,
            barred=occupied.barred,
            window=request.window,
            spare=request.spare,
        )
        if isinstance(plan, NoSeries):
            return plan
        rows = [new_visit(referral, series, need=request.need, discipline=request.discipline) for _ in plan]
        for row, candidate in zip(rows, plan, strict=True):
            record.put_into(row, candidate)
        claims = [record.claim_of(row, candidate) for row, candidate in zip(rows, plan, strict=True)]
        if await queries.occupancy.claim_all(tx, claims, at=ctx.at):
            return rows
    return NoSeries(failed=1, count=request.pace.count, alternatives=())


def refusal(refused: NoSeries) -> list[Reason]:
    """Say which session finds no time, and what is free instead."""
    failed = Reason.of("session-finds-no-time", failed=refused.failed, count=refused.count)
    return [failed, *(rules.series.free_instead(refused.alternatives) or [Reason.of("nothing-free")])]


async def occupied_of(
    ctx: Context, tx: Transaction, referral: Referral, *, resources: Sequence[str], window: Span
) -> Occupied:
    """Read what is taken of these, when the patient cannot come, and what they gave up with whom."""
    patient = rules.needs.patient_key(referral.patient_id)
    taken, given_up = await queries.given_up.and_taken(
        tx, [*resources, patient], patients=[referral.patient_id], window=window, at=ctx.at
    )
    barred = given_up.get(referral.patient_id, NOTHING_TAKEN)
    never = rules.given_up.never_for(
        referral.patient_id, away=referral.away, has=taken.get(patient, ()), given_up=barred
    )
    return Occupied(taken=taken, patient=never, barred=barred)


def new_visit(
    referral: Referral,
    series: Series,
    *,
    need: rules.needs.Need,
    discipline: str | None,
    kind: AppointmentKind = AppointmentKind.SESSION,
    visit_type: str | None = None,
) -> Appointment:
    """Make a visit of a series that has no time yet."""
    return Appointment(
        referral_id=referral.id,
        kind=kind,
        status=AppointmentStatus.BOOKED,
        patient_id=referral.patient_id,
        programme=referral.programme,
        site=referral.site,
        requester=referral.requester,
        minutes=need.length.seconds // 60,
        series_id=series.id,
        visit_type=visit_type,
        discipline=discipline,
    )


def course_of(ctx: Context, referral: Referral) -> Course:
    """Return the course of a referral whose programme has one; raises LookupError for another."""
    course = ctx.clinic.programme(referral.programme).course
    if course is None:
        raise LookupError(f"programme {referral.programme} has no sessions")
    return course
