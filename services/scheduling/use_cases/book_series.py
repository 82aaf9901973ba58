"""Book a whole series of sessions, or nothing, and say which session failed."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from services.scheduling import fhir, queries, rules
from services.scheduling.models import Appointment, Referral, Series
from services.scheduling.states import AppointmentStatus, SeriesStatus, series_may
from services.scheduling.use_cases.promise import unavailable_spans
from services.scheduling.use_cases.recording import claim_of, keep, patient_key, put_into, resources_of
from shared.clinic import Sessions
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog import scheduling as events
from shared.events.outbox import publishing
from shared.fhir import store
from shared.fhir.codes import LUMBAR, AppointmentKind

# A plan that loses a race is made anew from what the others took; each round somebody else has booked.
_ROUNDS = 20


async def book_series(
    ctx: Context,
    tx: Transaction,
    referral: Referral,
    *,
    series: Series | None,
    entitled: rules.Entitlement,
    kept: Sequence[Appointment],
    after: datetime,
) -> None:
    """Book every session that the entitlement has left after `kept`, later than `after`, or none of them."""
    visit = _visit(ctx, referral)
    need = rules.need_of(ctx.clinic, site_id=referral.site, visit=visit, purpose="session")
    weeks = Counter(
        rules.week_of(row.starts_at.astimezone(need.site.zone).date()) for row in kept if row.starts_at
    )
    pace = rules.Pace(count=entitled.count - len(kept), per_week=visit.per_week, already=weeks)
    if pace.count <= 0:
        return
    row = series or _new_series(referral)
    window, spare = rules.series_windows(
        entitled, per_week=visit.per_week, after=after, now=ctx.at, zone=need.site.zone
    )
    planned = await _claimed(ctx, tx, referral, row.id, need=need, pace=pace, window=window, spare=spare)
    if isinstance(planned, rules.NoSeries):
        note = rules.describe_refusal(planned, zone=need.site.zone)
        await say_not_booked(ctx, tx, referral, series=row, note=note)
        return
    await _record(ctx, tx, row, kept=kept, booked=planned)


async def say_not_booked(
    ctx: Context, tx: Transaction, referral: Referral, *, series: Series | None, note: str
) -> None:
    """Tell that no series is booked, and why; once for the same reason, and never of one that took place."""
    row = series or _new_series(referral)
    old = SeriesStatus(row.status)
    said = row.version > 0 and old is SeriesStatus.NOT_BOOKED and row.note == note
    if said or not series_may(old, SeriesStatus.NOT_BOOKED):
        return
    row.status, row.note = SeriesStatus.NOT_BOOKED, note
    await store.put(tx, row, fhir.render_series(ctx, row, sessions=()), at=ctx.at)
    publishing.collect(tx, events.SeriesNotBooked, of=row, key=row.patient_id, focus=row.body, ctx=ctx)


async def _claimed(
    ctx: Context,
    tx: Transaction,
    referral: Referral,
    series_id: UUID,
    *,
    need: rules.Need,
    pace: rules.Pace,
    window: rules.Span,
    spare: rules.Span,
) -> list[Appointment] | rules.NoSeries:
    resources = resources_of(need, patient_id=referral.patient_id)
    await queries.know_resources(tx, resources)
    for _ in range(_ROUNDS):
        taken = await queries.taken(tx, resources, window=spare)
        mine = [*unavailable_spans(referral), *taken.get(patient_key(referral.patient_id), ())]
        plan = rules.plan_series(need, pace=pace, taken=taken, patient=mine, window=window, spare=spare)
        if isinstance(plan, rules.NoSeries):
            return plan
        rows = [_session(referral, series_id, minutes=_visit(ctx, referral).minutes) for _ in plan]
        claims = [claim_of(row, one.candidate) for row, one in zip(rows, plan, strict=True)]
        if await queries.claim(tx, claims):
            for row, one in zip(rows, plan, strict=True):
                put_into(row, one.candidate)
            return rows
    return rules.NoSeries(failed=1, count=pace.count, alternatives=())


async def _record(
    ctx: Context,
    tx: Transaction,
    series: Series,
    *,
    kept: Sequence[Appointment],
    booked: Sequence[Appointment],
) -> None:
    series.status, series.note = SeriesStatus.BOOKED, ""
    sessions = [*kept, *booked]
    await store.put(tx, series, fhir.render_series(ctx, series, sessions=sessions), at=ctx.at)
    for row in booked:
        await keep(ctx, tx, row)
    publishing.collect(
        tx,
        events.SeriesBooked,
        of=series,
        key=series.patient_id,
        focus=series.body,
        carries=[row.body for row in sessions],
        ctx=ctx,
    )


def _visit(ctx: Context, referral: Referral) -> Sessions:
    visit = ctx.clinic.programme(referral.programme).sessions
    if visit is None:
        raise LookupError(f"programme {referral.programme} has no sessions")
    return visit


def _new_series(referral: Referral) -> Series:
    return Series(
        referral_id=referral.id,
        identifiers=[f"{LUMBAR}/referral|{referral.id}"],
        patient_id=referral.patient_id,
        site=referral.site,
        requester=referral.requester,
    )


def _session(referral: Referral, series_id: UUID, *, minutes: int) -> Appointment:
    return Appointment(
        referral_id=referral.id,
        kind=AppointmentKind.SESSION,
        status=AppointmentStatus.BOOKED,
        patient_id=referral.patient_id,
        programme=referral.programme,
        site=referral.site,
        requester=referral.requester,
        minutes=minutes,
        series_id=series_id,
    )
