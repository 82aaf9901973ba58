"""Book a whole series of sessions, or nothing, and publish which session finds no time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from services.scheduling import queries, rules
from services.scheduling.models.rows import Appointment, Referral, Series
from services.scheduling.models.spans import NOTHING_TAKEN, Span
from services.scheduling.rules.candidates import Candidate
from services.scheduling.rules.entitlement import Entitlement
from services.scheduling.rules.series import NoSeries, Pace
from services.scheduling.states import AppointmentStatus
from services.scheduling.use_cases import book_course, record
from shared.clinic import Course
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog import scheduling as events
from shared.fhir.codes import LUMBAR, AppointmentKind
from shared.reasons import Reason, Reference

# A plan that loses a race is made anew from what the others took; each round somebody else has booked.
_ROUNDS = 20


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


async def run(
    ctx: Context,
    tx: Transaction,
    referral: Referral,
    *,
    series: Series | None,
    entitled: Entitlement,
    kept: Sequence[Appointment],
    after: datetime,
) -> None:
    """Book everything that the course has left after `kept`, inside what is entitled and later than `after`,
    or none of it.
    """
    course = _course(ctx, referral)
    row = series or _new_series(referral)
    targets = rules.course_plan.targets(course, wanted=row.wanted, entitled=entitled)
    have = rules.series_state.counted_by_discipline(kept, only=rules.needs.only_discipline(course))
    if all(have[discipline] >= count for discipline, count in targets.items()):
        return
    row.wanted = row.wanted or {one.value: count for one, count in course.totals.items()}
    booked = await _booked(ctx, tx, referral, row, targets=targets, entitled=entitled, kept=kept, after=after)
    if booked and isinstance(booked[0], Reason):
        reasons = [reason for reason in booked if isinstance(reason, Reason)]
        await publish_series_not_booked(ctx, tx, referral, series=row, because=reasons)
        return
    new = [one for one in booked if isinstance(one, Appointment)]
    for session in new:
        record.fill_appointment(ctx, session)
    sessions = [*kept, *new]
    event = events.SeriesBooked
    await record.save_series(ctx, tx, row, event, because=(), sessions=sessions, carries=sessions)
    await tx.insert(*new)


async def run_partly(
    ctx: Context,
    tx: Transaction,
    referral: Referral,
    *,
    series: Series,
    entitled: Entitlement,
    kept: Sequence[Appointment],
    after: datetime,
) -> list[Appointment]:
    """Book what has room from the beginning of a course that has no room as a whole, and return it.

    What is left is what the series is short of. Where nothing has room, nothing is written.
    """
    course = _course(ctx, referral)
    targets = rules.course_plan.targets(course, wanted=series.wanted, entitled=entitled)
    found = await _booked(
        ctx, tx, referral, series, targets=targets, entitled=entitled, kept=kept, after=after, partly=True
    )
    new = [one for one in found if isinstance(one, Appointment)]
    if not new:
        return []
    why = [reason for reason in series.reasons if reason.code in ("no-room-in-week", "session-finds-no-time")]
    series.wanted = series.wanted or {one.value: count for one, count in course.totals.items()}
    for session in new:
        record.fill_appointment(ctx, session)
    sessions = [*kept, *new]
    await record.save_series(
        ctx, tx, series, events.SeriesBooked, because=why, sessions=sessions, carries=sessions
    )
    await tx.insert(*new)
    only = rules.needs.only_discipline(course)
    short = rules.series_state.missing(series.wanted, sessions, entitled=entitled, only=only)
    await tx.update(series, short=short or None, short_since=ctx.at if short else None)
    return new


async def _booked(
    ctx: Context,
    tx: Transaction,
    referral: Referral,
    series: Series,
    *,
    targets: Mapping[str, int],
    entitled: Entitlement,
    kept: Sequence[Appointment],
    after: datetime,
    partly: bool = False,
) -> Sequence[Appointment | Reason]:
    """Take the times of what is left, and return the visits unsaved; or why there are none.

    `partly` takes what has room from the beginning on, where not everything has.
    """
    course, programme = _course(ctx, referral), ctx.clinic.programme(referral.programme)
    if not course.is_of_one_pace:
        plan = rules.course_plan.plan_of(
            ctx.clinic,
            programme,
            course,
            site_id=referral.site,
            targets=targets,
            entitled=entitled,
            kept=kept,
            after=after,
            now=ctx.at,
        )
        return await book_course.run(ctx, tx, referral, series, plan=plan, partly=partly)
    discipline = next(iter(course.treatments)).value
    request = request_of(
        ctx,
        referral,
        discipline=discipline,
        count=targets[discipline],
        entitled=entitled,
        kept=kept,
        after=after,
    )
    booked = await claimed(ctx, tx, referral, series, request=request)
    if partly and isinstance(booked, NoSeries) and booked.failed > 1:
        fewer = replace(request, pace=replace(request.pace, count=booked.failed - 1))
        booked = await claimed(ctx, tx, referral, series, request=fewer)
    return refusal(booked) if isinstance(booked, NoSeries) else booked


async def publish_series_not_booked(
    ctx: Context, tx: Transaction, referral: Referral, *, series: Series | None, because: Sequence[Reason]
) -> None:
    """Record and publish that no series is booked, and why, where that is news."""
    row = series or _new_series(referral)
    if rules.series_state.not_booked_is_news(row, because=because):
        await record.save_series(ctx, tx, row, events.SeriesNotBooked, because=because, sessions=())


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
    course, programme = _course(ctx, referral), ctx.clinic.programme(referral.programme)
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
    patient = rules.needs.patient_key(referral.patient_id)
    resources = [*request.need.resources, patient]
    for _ in range(_ROUNDS):
        taken, given_up = await queries.given_up.and_taken(
            tx, resources, patients=[referral.patient_id], window=request.spare, at=ctx.at
        )
        barred = given_up.get(referral.patient_id, NOTHING_TAKEN)
        plan = rules.series.plan(
            request.need,
            pace=request.pace,
            taken=taken,
            patient=rules.given_up.never_for(
                referral.patient_id, away=referral.away, has=taken.get(patient, ()), given_up=barred
            ),
            barred=barred,
            window=request.window,
            spare=request.spare,
        )
        if isinstance(plan, NoSeries):
            return plan
        rows = [_session(referral, series, candidate, request=request) for candidate in plan]
        claims = [record.claim_of(row, candidate) for row, candidate in zip(rows, plan, strict=True)]
        if await queries.occupancy.claim_all(tx, claims, at=ctx.at):
            return rows
    return NoSeries(failed=1, count=request.pace.count, alternatives=())


def refusal(refused: NoSeries) -> list[Reason]:
    """Say which session finds no time, and what is free instead."""
    failed = Reason.of("session-finds-no-time", failed=refused.failed, count=refused.count)
    instead = [
        Reason.of(
            "free-instead",
            start=candidate.span.start,
            practitioner=Reference(f"Practitioner/{candidate.person}"),
        )
        for candidate in refused.alternatives
    ]
    return [failed, *(instead or [Reason.of("nothing-free")])]


def _course(ctx: Context, referral: Referral) -> Course:
    course = ctx.clinic.programme(referral.programme).course
    if course is None:
        raise LookupError(f"programme {referral.programme} has no sessions")
    return course


def _new_series(referral: Referral) -> Series:
    return Series(
        referral_id=referral.id,
        identifiers=[f"{LUMBAR}/referral|{referral.id}"],
        patient_id=referral.patient_id,
        site=referral.site,
        requester=referral.requester,
    )


def _session(
    referral: Referral, series: Series, candidate: Candidate, *, request: SeriesRequest
) -> Appointment:
    row = Appointment(
        referral_id=referral.id,
        kind=AppointmentKind.SESSION,
        status=AppointmentStatus.BOOKED,
        patient_id=referral.patient_id,
        programme=referral.programme,
        site=referral.site,
        requester=referral.requester,
        minutes=request.need.length.seconds // 60,
        series_id=series.id,
        discipline=request.discipline,
    )
    record.put_into(row, candidate)
    return row
