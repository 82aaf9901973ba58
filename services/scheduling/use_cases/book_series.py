"""Book a whole series of sessions, or nothing, and publish which session finds no time."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from services.scheduling import rules
from services.scheduling.models.rows import Appointment, Referral, Series
from services.scheduling.rules.entitlement import Entitlement
from services.scheduling.rules.series import NoSeries
from services.scheduling.use_cases import book_course, claim_sessions, record
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog import scheduling as events
from shared.fhir.codes import LUMBAR
from shared.reasons import Reason


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
    course = claim_sessions.course_of(ctx, referral)
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
    course = claim_sessions.course_of(ctx, referral)
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
    course, programme = claim_sessions.course_of(ctx, referral), ctx.clinic.programme(referral.programme)
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
    request = claim_sessions.request_of(
        ctx,
        referral,
        discipline=discipline,
        count=targets[discipline],
        entitled=entitled,
        kept=kept,
        after=after,
    )
    booked = await claim_sessions.claimed(ctx, tx, referral, series, request=request)
    if partly and isinstance(booked, NoSeries) and booked.failed > 1:
        fewer = replace(request, pace=replace(request.pace, count=booked.failed - 1))
        booked = await claim_sessions.claimed(ctx, tx, referral, series, request=fewer)
    return claim_sessions.refusal(booked) if isinstance(booked, NoSeries) else booked


async def publish_series_not_booked(
    ctx: Context, tx: Transaction, referral: Referral, *, series: Series | None, because: Sequence[Reason]
) -> None:
    """Record and publish that no series is booked, and why, where that is news."""
    row = series or _new_series(referral)
    if rules.series_state.not_booked_is_news(row, because=because):
        await record.save_series(ctx, tx, row, events.SeriesNotBooked, because=because, sessions=())


def _new_series(referral: Referral) -> Series:
    return Series(
        referral_id=referral.id,
        identifiers=[f"{LUMBAR}/referral|{referral.id}"],
        patient_id=referral.patient_id,
        site=referral.site,
        requester=referral.requester,
    )
