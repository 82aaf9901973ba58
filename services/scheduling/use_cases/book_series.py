"""Book a whole series of sessions, or nothing, and publish which session finds no time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.scheduling import queries, rules
from services.scheduling.models.rows import Appointment, Referral, Series
from services.scheduling.models.spans import NOTHING_TAKEN, Span
from services.scheduling.rules.candidates import Candidate
from services.scheduling.rules.entitlement import Entitlement
from services.scheduling.rules.series import NoSeries, Pace
from services.scheduling.states import AppointmentStatus
from services.scheduling.use_cases import record
from shared.clinic import Sessions
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog import scheduling as events
from shared.fhir.codes import LUMBAR, AppointmentKind
from shared.reasons import Reason, Reference

# A plan that loses a race is made anew from what the others took; each round somebody else has booked.
_ROUNDS = 20


@dataclass(frozen=True, kw_only=True)
class SeriesRequest:
    """What a series asks for: `window` is where its sessions may lie, `spare` where to look for others."""

    need: rules.needs.Need
    pace: Pace
    window: Span
    spare: Span


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
    """Book every session that the entitlement has left after `kept`, later than `after`, or none of them."""
    request = _request(ctx, referral, entitled=entitled, kept=kept, after=after)
    if request.pace.count <= 0:
        return
    row = series or _new_series(referral)
    booked = await _claimed(ctx, tx, referral, row, request=request)
    if isinstance(booked, NoSeries):
        await publish_series_not_booked(ctx, tx, referral, series=row, because=_refusal(booked))
        return
    sessions = [*kept, *booked]
    for session in booked:
        record.fill_appointment(ctx, session)
    event = events.SeriesBooked
    await record.save_series(ctx, tx, row, event, because=(), sessions=sessions, carries=sessions)
    await tx.insert(*booked)


async def publish_series_not_booked(
    ctx: Context, tx: Transaction, referral: Referral, *, series: Series | None, because: Sequence[Reason]
) -> None:
    """Record and publish that no series is booked, and why, where that is news."""
    row = series or _new_series(referral)
    if rules.series_state.not_booked_is_news(row, because=because):
        await record.save_series(ctx, tx, row, events.SeriesNotBooked, because=because, sessions=())


def _request(
    ctx: Context,
    referral: Referral,
    *,
    entitled: Entitlement,
    kept: Sequence[Appointment],
    after: datetime,
) -> SeriesRequest:
    visit = _visit(ctx, referral)
    need = rules.needs.need_of(ctx.clinic, site_id=referral.site, visit=visit, purpose="session").as_of(
        ctx.at
    )
    zone = need.site.zone
    window, spare = rules.series.windows(
        entitled, per_week=visit.per_week, after=after, now=ctx.at, zone=zone
    )
    weeks = rules.series_state.weeks_of(kept, zone=zone)
    pace = Pace(count=entitled.count - len(kept), per_week=visit.per_week, already=weeks)
    return SeriesRequest(need=need, pace=pace, window=window, spare=spare)


async def _claimed(
    ctx: Context, tx: Transaction, referral: Referral, series: Series, *, request: SeriesRequest
) -> list[Appointment] | NoSeries:
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
        rows = [_session(ctx, referral, series, candidate) for candidate in plan]
        claims = [record.claim_of(row, candidate) for row, candidate in zip(rows, plan, strict=True)]
        if await queries.occupancy.claim_all(tx, claims, at=ctx.at):
            return rows
    return NoSeries(failed=1, count=request.pace.count, alternatives=())


def _refusal(refused: NoSeries) -> list[Reason]:
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


def _session(ctx: Context, referral: Referral, series: Series, candidate: Candidate) -> Appointment:
    row = Appointment(
        referral_id=referral.id,
        kind=AppointmentKind.SESSION,
        status=AppointmentStatus.BOOKED,
        patient_id=referral.patient_id,
        programme=referral.programme,
        site=referral.site,
        requester=referral.requester,
        minutes=_visit(ctx, referral).minutes,
        series_id=series.id,
    )
    record.put_into(row, candidate)
    return row
