"""A referral that waits too long: the coordinator is told, and again until it goes on."""

from uuid import UUID

from services.referral import rules
from services.referral.use_cases import record, referral_file
from services.referral.use_cases.changes import WAITS_TOO_LONG, Changes, the_clinic
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog import referral as events
from shared.fhir.codes import TaskCode
from shared.reasons import Reason


async def tell(ctx: Context, tx: Transaction, referral_id: str) -> None:
    """Give the coordinator a Task for a referral that still waits where it did."""
    file = await referral_file.locked(tx, UUID(referral_id))
    limit = None if file is None else rules.waiting.limit(file.referral, clinic=ctx.clinic)
    if file is None or limit is None:
        return
    changes, referral = Changes(ctx, file), file.referral
    reason = Reason.of("waits-too-long", state=referral.state, at=ctx.at)
    work = changes.open_work(
        TaskCode.OVERDUE_REFERRAL, owner=the_clinic(ctx), reason=[reason, *referral.reason]
    )
    changes.timers[WAITS_TOO_LONG] = ctx.at + limit
    changes.announce(events.ReferralOverdue, work)
    await record.run(ctx, tx, changes)
