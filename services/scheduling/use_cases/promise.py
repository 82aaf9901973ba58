"""Weigh the promise whenever something changed, record both clocks, and tell when its status changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from services.scheduling import fhir, queries, rules
from services.scheduling.models import Appointment, Guarantee, Referral
from services.scheduling.states import STANDING, ReferralState
from services.scheduling.use_cases.timer_kinds import TimerKind
from shared import timers
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog import DomainEvent
from shared.events.catalog import scheduling as events
from shared.events.outbox import publishing
from shared.fhir import store
from shared.fhir.codes import GuaranteeStatus

_NEWS: dict[str, type[DomainEvent]] = {
    GuaranteeStatus.AT_RISK: events.GuaranteeAtRisk,
    GuaranteeStatus.BREACHED: events.GuaranteeBreached,
    GuaranteeStatus.MET: events.GuaranteeMet,
}
_ASK_AGAIN = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Promise:
    """The promise as it stands now, and what there is to tell about it."""

    guarantee: Guarantee
    news: type[DomainEvent] | None


async def make_promise(ctx: Context, tx: Transaction, referral: Referral) -> Guarantee:
    """Make the promise of an accepted referral, which weighing it records, and set its two timers."""
    guarantee = Guarantee(
        referral_id=referral.id,
        patient_id=referral.patient_id,
        site=referral.site,
        requester=referral.requester,
        due_at=referral.due_at,
    )
    at_risk = referral.due_at - timedelta(days=ctx.clinic.promise.at_risk_days)
    await timers.schedule(tx, kind=TimerKind.AT_RISK, ref=str(referral.id), due=at_risk)
    await timers.schedule(tx, kind=TimerKind.DUE, ref=str(referral.id), due=referral.due_at)
    return guarantee


async def weigh_promise(ctx: Context, tx: Transaction, referral: Referral) -> Promise:
    """Work out the promise anew; a new version of its Task is recorded when anything changed."""
    guarantee = await _guarantee(tx, referral.id)
    firsts = await queries.first_appointments(tx, referral.id)
    return await weigh_known(ctx, tx, referral, guarantee=guarantee, firsts=firsts)


async def weigh_known(
    ctx: Context, tx: Transaction, referral: Referral, *, guarantee: Guarantee, firsts: Sequence[Appointment]
) -> Promise:
    """Do the same where the promise and all first appointments are at hand, locked or new."""
    visits = [
        rules.FirstVisit(status=row.status, start=row.starts_at, patient_caused=row.patient_caused)
        for row in firsts
    ]
    status = rules.promise_status(
        visits,
        now=ctx.at,
        due_at=referral.due_at,
        at_risk_days=ctx.clinic.promise.at_risk_days,
        ended=referral.state == ReferralState.ENDED,
        before=GuaranteeStatus(guarantee.status),
    )
    clocks = rules.clocks(
        visits,
        sent_at=referral.sent_at,
        unavailable=unavailable_spans(referral),
        zone=ctx.clinic.site(referral.site).zone,
    )
    figures = (None, None) if clocks is None else (clocks.raw, clocks.adjusted)
    before = (guarantee.status, guarantee.raw_days, guarantee.adjusted_days)
    guarantee.status, (guarantee.raw_days, guarantee.adjusted_days) = status, figures
    if before != (status, *figures) or not guarantee.version:
        body = fhir.render_guarantee(ctx, guarantee, referral=referral)
        await store.put(tx, guarantee, body, at=ctx.at)
    if status in (GuaranteeStatus.MET, GuaranteeStatus.ENDED):
        await _stop_timers(tx, referral.id)
    return Promise(guarantee=guarantee, news=_NEWS.get(status) if before[0] != status else None)


def tell_promise(ctx: Context, tx: Transaction, promise: Promise) -> None:
    """Publish what is new about the promise, if anything is."""
    if promise.news is not None:
        guarantee = promise.guarantee
        publishing.collect(
            tx, promise.news, of=guarantee, key=guarantee.patient_id, focus=guarantee.body, ctx=ctx
        )


async def look_at_promise(ctx: Context, tx: Transaction, referral_id: UUID) -> None:
    """Weigh the promise of a referral and tell what is new; nothing where the referral is unknown."""
    referral = await queries.locked_referral(tx, referral_id)
    if referral is not None:
        tell_promise(ctx, tx, await weigh_promise(ctx, tx, referral))


async def promise_broke(ctx: Context, tx: Transaction, referral: Referral) -> bool:
    """Weigh the promise at its end; tell whether it broke.

    Where a visit inside the promise stands whose outcome nobody recorded yet, it is asked again a day later.
    """
    promise = await weigh_promise(ctx, tx, referral)
    tell_promise(ctx, tx, promise)
    visits = await queries.first_appointments(tx, referral.id)
    unrecorded = any(row.status in STANDING for row in visits)
    if unrecorded and promise.guarantee.status == GuaranteeStatus.ON_TRACK:
        tomorrow = _tomorrow(referral.due_at, ctx.at)
        await timers.schedule(tx, kind=TimerKind.DUE, ref=str(referral.id), due=tomorrow)
    return promise.guarantee.status == GuaranteeStatus.BREACHED


def unavailable_spans(referral: Referral) -> list[rules.Span]:
    """Give the times at which the patient said not to be available."""
    return [
        rules.Span(datetime.fromisoformat(start), datetime.fromisoformat(end))
        for start, end in referral.unavailable
    ]


def _tomorrow(due_at: datetime, now: datetime) -> datetime:
    return due_at + _ASK_AGAIN * ((now - due_at) // _ASK_AGAIN + 1)


async def _guarantee(tx: Transaction, referral_id: UUID) -> Guarantee:
    guarantee = await queries.guarantee_of(tx, referral_id)
    if guarantee is None:
        raise LookupError(f"referral {referral_id} has no guarantee")
    return guarantee


async def _stop_timers(tx: Transaction, referral_id: UUID) -> None:
    for kind in (TimerKind.AT_RISK, TimerKind.DUE):
        await timers.cancel(tx, kind=kind, ref=str(referral_id))
