"""Write a guarantee as it now is, and keep the timers that follow from it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from services.scheduling import fhir, queries, rules
from services.scheduling.models.rows import Appointment, Guarantee, Referral
from services.scheduling.models.timer_kinds import TimerKind
from shared import timers
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog import DomainEvent
from shared.events.catalog import scheduling as events
from shared.fhir import store
from shared.fhir.codes import GuaranteeStatus, RequestPriority
from shared.timers import Timer

_GUARANTEE_EVENTS: dict[str, type[DomainEvent]] = {
    GuaranteeStatus.AT_RISK: events.GuaranteeAtRisk,
    GuaranteeStatus.FORECAST_BREACH: events.GuaranteeForecastBreach,
    GuaranteeStatus.BREACHED: events.GuaranteeBreached,
    GuaranteeStatus.MET: events.GuaranteeMet,
}
_CHANGED_GUARANTEE = (
    *("status", "due_at", "raw_days", "adjusted_days"),
    *("unbooked_since", "second_breached_at"),
)


@dataclass(frozen=True, kw_only=True)
class EvaluatedGuarantee:
    """A guarantee as it is now, the first appointments that it follows from, and what is new about it."""

    guarantee: Guarantee
    firsts: Sequence[Appointment]
    events: Sequence[type[DomainEvent]]
    is_changed: bool


def evaluate(
    ctx: Context,
    guarantee: Guarantee,
    referral: Referral,
    firsts: Sequence[Appointment],
    *,
    corrects: bool = False,
    anew: bool = False,
    is_late_by_plan: bool | None = None,
) -> EvaluatedGuarantee:
    """Put into a guarantee what it now is, without writing it; its Task is new where anything changed.

    What was met, broken or ended stays so, unless what was recorded is corrected. The Task is rendered `anew`
    where its referral says something else. `is_late_by_plan` is what the plan of an evening says of it.
    """
    was = guarantee.model_copy()
    columns = rules.guarantee.evaluate(
        guarantee,
        referral,
        firsts,
        before=GuaranteeStatus.ON_TRACK if corrects else was.status,
        now=ctx.at,
        at_risk_days=ctx.clinic.guarantee.of(referral.priority).at_risk_days,
        zone=ctx.clinic.site(referral.site).zone,
        is_late_by_plan=is_late_by_plan,
    )
    changes = {name: value for name, value in columns.items() if getattr(guarantee, name) != value}
    for name, value in changes.items():
        setattr(guarantee, name, value)
    is_changed = anew or bool(changes) or not guarantee.version
    if is_changed:
        store.fill(guarantee, fhir.guarantees.render(ctx, guarantee, referral=referral), at=ctx.at)
    happened = list(_happened(was, guarantee, referral=referral))
    return EvaluatedGuarantee(guarantee=guarantee, firsts=firsts, events=happened, is_changed=is_changed)


async def evaluate_guarantee(
    ctx: Context, tx: Transaction, referral: Referral, *, anew: bool = False
) -> EvaluatedGuarantee:
    """Work the guarantee of a locked referral out, and write it where anything changed, or `anew`."""
    guarantee = await queries.guarantees.locked_of(tx, referral.id)
    firsts = await queries.appointments.firsts_of(tx, referral.id)
    evaluated = evaluate(ctx, guarantee, referral, firsts, anew=anew)
    await save_guarantee(tx, evaluated)
    return evaluated


async def rewrite_guarantee(ctx: Context, tx: Transaction, guarantee: Guarantee, referral: Referral) -> None:
    """Write a guarantee that stays what it is, with why its referral ended."""
    body = fhir.guarantees.render(ctx, guarantee, referral=referral)
    await store.update(tx, guarantee, body, at=ctx.at)


async def save_guarantee(tx: Transaction, *evaluated: EvaluatedGuarantee) -> None:
    """Write evaluated guarantees where anything changed.

    One that is final needs no timer any more; one that broke gets that of its second promise.
    """
    changed = [one.guarantee for one in evaluated if one.is_changed]
    await store.update_all(tx, [(row, row.version - 1) for row in changed], *_CHANGED_GUARANTEE)
    final = [row for row in changed if row.status in (GuaranteeStatus.MET, GuaranteeStatus.ENDED)]
    kinds = (TimerKind.AT_RISK, TimerKind.DUE, TimerKind.SECOND_DUE)
    if final:
        await timers.cancel_all(tx, [(kind, str(row.referral_id)) for row in final for kind in kinds])
    broken = [one.guarantee for one in evaluated if events.GuaranteeBreached in one.events]
    if broken:
        await timers.schedule_all(tx, [timer for row in broken for timer in _second_timers(row)])


def timers_of(ctx: Context, referral: Referral, *, guarantee: Guarantee) -> list[Timer]:
    """Return the timers of a guarantee that is not final: before it ends, at its end, and where it is broken
    at that of its second promise.
    """
    ref, due = str(referral.id), referral.due_at
    at_risk = due - timedelta(days=ctx.clinic.guarantee.of(referral.priority).at_risk_days)
    return [
        Timer(kind=TimerKind.AT_RISK, ref=ref, due_at=at_risk),
        Timer(kind=TimerKind.DUE, ref=ref, due_at=due),
        *_second_timers(guarantee),
    ]


def _happened(was: Guarantee, now: Guarantee, *, referral: Referral) -> Iterator[type[DomainEvent]]:
    """Go through the events by which a guarantee became what it is."""
    if now.status != was.status and now.status in _GUARANTEE_EVENTS:
        yield _GUARANTEE_EVENTS[now.status]
    if (was.status, now.status) == (GuaranteeStatus.FORECAST_BREACH, GuaranteeStatus.PLANNED):
        yield events.GuaranteeForecastLifted
    if was.second_breached_at is None and now.second_breached_at is not None:
        yield events.GuaranteeSecondBreached
    is_wanted = was.unbooked_since is None and now.unbooked_since is not None
    if is_wanted and referral.priority == RequestPriority.STAT:
        yield events.GuaranteeAttentionNeeded


def _second_timers(guarantee: Guarantee) -> list[Timer]:
    if guarantee.status != GuaranteeStatus.BREACHED:
        return []
    ref = str(guarantee.referral_id)
    return [Timer(kind=TimerKind.SECOND_DUE, ref=ref, due_at=guarantee.second_due_at)]
