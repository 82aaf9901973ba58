"""Look every night for what nobody lets go on: the coordinator is told of each, once while it stands.

The look itself locks nothing. What it finds is looked at again one by one, each under its lock and in a
transaction of its own: an event that comes at the same moment comes before or after, and one that fails
keeps nobody else from being seen.
"""

from datetime import datetime
from uuid import UUID

import structlog
from prometheus_client import Counter

from services.referral import queries, rules
from services.referral.models.snapshot import ReferralSnapshot
from services.referral.use_cases import record, referral_file
from services.referral.use_cases.changes import Changes, the_clinic
from shared import timers
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog import referral as events
from shared.fhir.codes import TaskCode
from shared.reasons import Reason
from shared.telemetry.registry import REGISTRY
from shared.timers import Timer

NIGHTLY_LOOK = "nightly-look"
LOOK_AT_ONE = "nightly-look-at-one"

_TOLD = Counter(
    "lumbar_referrals_overdue",
    "Referrals that a nightly look found and told the coordinator of, by what was found",
    ["found"],
    registry=REGISTRY,
)
log = structlog.get_logger()


async def start(ctx: Context, tx: Transaction) -> None:
    """Set the timer of each site that has none; called at every start."""
    for site in ctx.clinic.sites:
        due = rules.overdue.next_look(site, after=ctx.at)
        await timers.schedule_once(tx, kind=NIGHTLY_LOOK, ref=site.id, due=due)


async def run(ctx: Context, tx: Transaction, site_id: str, *, due: datetime) -> None:
    """Find what there is to do at a site, and look again the next night; a site that is gone has no next."""
    site = next((site for site in ctx.clinic.sites if site.id == site_id), None)
    if site is None:
        return
    later = rules.overdue.wait_until(due=due, at=ctx.at)
    again = later or rules.overdue.next_look(site, after=ctx.at)
    await timers.schedule(tx, kind=NIGHTLY_LOOK, ref=site_id, due=again)
    if later is None:
        await _look_at_all(ctx, tx, site_id)


async def _look_at_all(ctx: Context, tx: Transaction, site_id: str) -> None:
    found = await queries.overdue.at_site(tx, site_id, clinic=ctx.clinic.id)
    to_do = [one for one in found if _look(ctx, one).is_something]
    ones = [Timer(kind=LOOK_AT_ONE, ref=str(one.id), due_at=ctx.at) for one in to_do]
    await timers.schedule_all(tx, ones)
    late = sum(rules.overdue.find(one, clinic=ctx.clinic, at=ctx.at) is not None for one in found)
    log.info("referral.nightly-look", site=site_id, overdue=late, to_do=len(to_do))


async def look_at_one(ctx: Context, tx: Transaction, referral_id: str) -> None:
    """Tell of one referral, or end the Task that says what is no longer so, as it stands under its lock."""
    file = await referral_file.locked(tx, UUID(referral_id))
    snapshot = await queries.overdue.of(tx, UUID(referral_id), clinic=ctx.clinic.id)
    if file is None or snapshot is None:
        return
    changes, look = Changes(ctx, file), _look(ctx, snapshot)
    if look.ends_work:
        went_on = [Reason.of("went-on", state=file.referral.state)]
        changes.finish_work(status="completed", reason=went_on, codes=[TaskCode.OVERDUE_REFERRAL])
    if look.tell is not None:
        reasons = [*look.tell.reasons, *file.referral.reason]
        work = changes.open_work(TaskCode.OVERDUE_REFERRAL, owner=the_clinic(ctx), reason=reasons)
        changes.announce(events.ReferralOverdue, work)
        what = reasons[0].code
        tx.after_commit("count what a nightly look told", lambda: _TOLD.labels(what).inc())
    await record.rest(ctx, tx, changes)


def _look(ctx: Context, snapshot: ReferralSnapshot) -> rules.overdue.Look:
    return rules.overdue.decide(snapshot, clinic=ctx.clinic, at=ctx.at)
