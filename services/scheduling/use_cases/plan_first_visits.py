"""Plan the first visits of a site whose day follows: every evening, one plan for all of them.

Invariants:
- Nothing of a plan is kept: a day that is told is booked, each in a transaction of its own; what is not
  told is planned anew the next evening.
- One worker plans a site: the timer's row is locked while its handler runs.
- A plan that is not optimal is none: the carve-out serves that evening, and it is logged and counted. Of the
  guarantees of those who go on waiting it says nothing.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import structlog
from prometheus_client import Counter

from services.scheduling import queries, rules
from services.scheduling.models.timer_kinds import TimerKind
from services.scheduling.use_cases import foresee_breaches, read_outlook
from shared import timers
from shared.clinic import SchedulingPolicy, Site
from shared.context import Context
from shared.db import Transaction
from shared.telemetry.registry import REGISTRY
from shared.timers import Timer

# Beyond the look-ahead those who are expected last still have their four weeks.
_BEYOND = 28
# Written for the day of who waited long enough and has none: any time at all is looked for.
ANY_DAY = "any"

_PLANS = Counter(
    "lumbar_first_visit_plans",
    "Plans of an evening for first visits, by outcome",
    ["outcome"],
    registry=REGISTRY,
)
log = structlog.get_logger()


async def run(ctx: Context, tx: Transaction, site_id: str) -> None:
    """Plan, let each day that is told be booked, and set the timer of the next evening.

    The guarantees of those who go on waiting say whether the plan has a day for them in time. A clinic that
    no longer plans gives everybody who was promised a day the earliest one.
    """
    site = next((site for site in ctx.clinic.sites if site.id == site_id), None)
    if site is None:
        return
    promised = await queries.arrivals.promised(tx, site.id)
    if ctx.clinic.scheduling.policy is not SchedulingPolicy.PLAN:
        await _let_be_booked(ctx, tx, [f"{visit.id}/{ANY_DAY}" for visit, _ in promised])
        return
    await timers.schedule(tx, kind=TimerKind.PLAN, ref=site.id, due=next_evening(ctx, site))
    if not promised:
        return
    days = ctx.clinic.scheduling.look_ahead_days + _BEYOND
    outlook = await read_outlook.run(ctx, tx, site, days=days, promised=promised)
    evening = rules.evening_plan.evening(outlook)
    _PLANS.labels(outcome="done" if evening.failure is None else "failed").inc()
    if evening.failure is not None:
        waiting = len(outlook.waiting)
        log.error("scheduling.plan-not-optimal", status=evening.failure, waiting=waiting, page="PlansFailing")
    planned = [f"{one.id}/{one.day.isoformat()}" for one in evening.told]
    await _let_be_booked(ctx, tx, [*planned, *(f"{one.id}/{ANY_DAY}" for one in evening.unplaced)])
    await foresee_breaches.run(ctx, tx, {UUID(id): late for id, late in evening.is_late.items()})


async def at_every_site(ctx: Context, tx: Transaction) -> None:
    """Set the timer of the next evening at every site, where first visits are planned."""
    if ctx.clinic.scheduling.policy is SchedulingPolicy.PLAN:
        for site in ctx.clinic.sites:
            await timers.schedule_once(tx, kind=TimerKind.PLAN, ref=site.id, due=next_evening(ctx, site))


def next_evening(ctx: Context, site: Site) -> datetime:
    """Return when a site plans next: at the clinic's time of the wall clock, today or tomorrow."""
    return rules.calendar.next_at(ctx.clinic.scheduling.at, now=ctx.at, zone=site.zone)


async def _let_be_booked(ctx: Context, tx: Transaction, refs: Sequence[str]) -> None:
    await timers.schedule_all(tx, [Timer(kind=TimerKind.TELL, ref=ref, due_at=ctx.at) for ref in refs])
