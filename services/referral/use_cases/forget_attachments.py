"""Remove what was uploaded and is named by nothing, a week later; looked for once a day."""

from datetime import timedelta

import structlog

from services.referral import queries
from services.referral.use_cases.upload import BYTES
from shared import timers
from shared.context import Context
from shared.db import Transaction

UNATTACHED = "unattached-attachments"
KEPT_FOR = timedelta(days=7)
_EVERY = timedelta(days=1)
_ALL = "all"
log = structlog.get_logger()


async def start(ctx: Context, tx: Transaction) -> None:
    """Set the timer where there is none; called at every start."""
    await timers.schedule_once(tx, kind=UNATTACHED, ref=_ALL, due=ctx.at + _EVERY)


async def run(ctx: Context, tx: Transaction) -> None:
    """Remove them, and look again tomorrow."""
    await timers.schedule(tx, kind=UNATTACHED, ref=_ALL, due=ctx.at + _EVERY)
    sizes = await queries.attachments.forget_unattached(tx, before=ctx.at - KEPT_FOR)
    if sizes:
        tx.after_commit("count what was removed", lambda: BYTES.labels("removed").inc(sum(sizes)))
        log.info("referral.attachments-removed", count=len(sizes))
