"""Add to a series that stands what it still wants: a session that was missed, or what a wider grant allows.

Each discipline gets all that it wants, or nothing: what finds no time inside the grant is said once
(`series.left-short`) and stands on the coordinator's worklist, until it is booked or left at that. Of what is
weeks apart (a monthly visit) each is added by itself, as far behind the last one.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from services.scheduling import queries, rules
from services.scheduling.models.rows import Appointment, Referral, Series
from services.scheduling.rules.entitlement import Entitlement
from services.scheduling.rules.series import NoSeries
from services.scheduling.states import SeriesStatus
from services.scheduling.use_cases import claim_sessions, record
from services.scheduling.use_cases.claim_sessions import SeriesRequest
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog import scheduling as events
from shared.reasons import Reason

# Who missed so many one after the other is spoken to before anything is booked by itself.
_MOST_MISSED = 2


async def run(
    ctx: Context,
    tx: Transaction,
    referral: Referral,
    series: Series,
    *,
    entitled: Entitlement,
    after: datetime,
) -> None:
    """Book what a series still wants inside what is entitled, later than `after`; the referral is locked."""
    course = ctx.clinic.programme(referral.programme).course
    if course is None or series.status not in (SeriesStatus.BOOKED, SeriesStatus.COMPLETED):
        return
    sessions = await queries.appointments.sessions_of(tx, series.id)
    after = max(after, series.held_until or after)
    only = rules.needs.only_discipline(course)
    if series.wanted is None:
        series.wanted = rules.series_state.wanted_at_least(None, sessions, only=only)
    missing = rules.series_state.missing(series.wanted, sessions, entitled=entitled, only=only)
    if missing and (count := rules.series_state.missed_in_a_row(sessions)) >= _MOST_MISSED:
        added, why = list[Appointment](), [Reason.of("missed-in-a-row", count=count)]
    else:
        added, why = await _add(
            ctx, tx, referral, series, missing=missing, sessions=sessions, entitled=entitled, after=after
        )
    short = rules.series_state.missing(series.wanted, [*sessions, *added], entitled=entitled, only=only)
    if added or dict(short) != (series.short or {}):
        await _save(ctx, tx, series, sessions=[*sessions, *added], added=added, short=short, why=why)


async def save(
    ctx: Context,
    tx: Transaction,
    series: Series,
    *,
    sessions: Sequence[Appointment],
    added: Sequence[Appointment],
) -> None:
    """Write a series with sessions that were added to it, and publish each of these."""
    short, why = series.short or {}, series.reasons
    await _save(ctx, tx, series, sessions=sessions, added=added, short=short, why=why)


async def _add(
    ctx: Context,
    tx: Transaction,
    referral: Referral,
    series: Series,
    *,
    missing: Mapping[str, int],
    sessions: Sequence[Appointment],
    entitled: Entitlement,
    after: datetime,
) -> tuple[list[Appointment], list[Reason]]:
    """Take times for what is missing, discipline by discipline; return the sessions and what finds none."""
    course = claim_sessions.course_of(ctx, referral)
    kept, only = rules.series_state.counting(sessions), rules.needs.only_discipline(course)
    zone = ctx.clinic.site(referral.site).zone
    added: list[Appointment] = []
    why: list[Reason] = []
    for discipline, count in missing.items():
        # What is weeks apart is added one by one, each as far behind the last.
        apart = course.weeks_apart(discipline)
        for each in [count] if apart == 1 else [1] * count:
            own = rules.series_state.sessions_in([*kept, *added], discipline=discipline, only=only)
            behind = rules.series_state.weeks_behind(own, weeks=apart, zone=zone)
            request = claim_sessions.request_of(
                ctx,
                referral,
                discipline=discipline,
                count=len(own) + each,
                entitled=entitled,
                kept=[*kept, *added],
                after=max(after, behind or after) if apart > 1 else after,
            )
            found = await _usual_or_any(ctx, tx, referral, series, request=request, own=own)
            if isinstance(found, NoSeries):
                _, *instead = claim_sessions.refusal(found)
                why += [Reason.of("session-not-made-up", discipline=discipline, count=each), *instead]
                break
            added += found
    return added, why


async def _usual_or_any(
    ctx: Context,
    tx: Transaction,
    referral: Referral,
    series: Series,
    *,
    request: SeriesRequest,
    own: Sequence[Appointment],
) -> list[Appointment] | NoSeries:
    """Take times with the clinician of most sessions, else with anybody."""
    usual = {person for person, _ in Counter(row.practitioner for row in own).most_common(1) if person}
    narrow = replace(request, need=request.need.led_by(usual))
    found = await claim_sessions.claimed(ctx, tx, referral, series, request=narrow)
    if isinstance(found, NoSeries):
        return await claim_sessions.claimed(ctx, tx, referral, series, request=request)
    return found


async def _save(
    ctx: Context,
    tx: Transaction,
    series: Series,
    *,
    sessions: Sequence[Appointment],
    added: Sequence[Appointment],
    short: Mapping[str, int],
    why: Sequence[Reason],
) -> None:
    for row in added:
        record.fill_appointment(ctx, row)
    await tx.insert(*added)
    is_news = bool(short) and dict(short) != (series.short or {})
    series.short = dict(short) or None
    series.short_since = (series.short_since or ctx.at) if short else None
    in_order = sorted(sessions, key=lambda row: (row.starts_at or ctx.at, row.id))
    status = SeriesStatus.BOOKED if added else SeriesStatus(series.status)
    await record.update_series(ctx, tx, series, status=status, because=why, sessions=in_order)
    await record.publish_appointment_event(ctx, tx, events.AppointmentBooked, *added)
    if is_news:
        await record.publish_series_event(ctx, tx, events.SeriesLeftShort, series)
