"""Who was referred to a site lately, and whose first visit has no day yet."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from services.scheduling.models.demand import ArrivalCounts
from services.scheduling.models.rows import Appointment, Referral
from shared.db import Transaction

_COUNTS = """
SELECT programme, priority, count(*) AS number, min(accepted_at) AS since FROM referral
WHERE site = $1 AND accepted_at >= $2 GROUP BY programme, priority
"""
_PROMISED = """
SELECT * FROM appointment WHERE site = $1 AND status = 'proposed' ORDER BY due_at, id
"""
_REFERRALS = "SELECT * FROM referral WHERE id = ANY($1::uuid[])"


async def counts(tx: Transaction, site: str, *, since: datetime, now: datetime) -> ArrivalCounts:
    """Count the referrals from a moment on, or from the first one on where that is later."""
    records = await tx.records(_COUNTS, site, since)
    first = min((record["since"] for record in records), default=now)
    return ArrivalCounts(
        weeks=(now - first) / timedelta(weeks=1),
        by_kind={(record["programme"], record["priority"]): record["number"] for record in records},
    )


async def promised(tx: Transaction, site: str) -> Sequence[tuple[Appointment, Referral]]:
    """Read the first visits of a site whose day follows, who is due first first, with their referrals."""
    visits = await tx.rows(Appointment, _PROMISED, site)
    if not visits:
        return []
    referrals = await tx.rows(Referral, _REFERRALS, [visit.referral_id for visit in visits])
    by_id = {referral.id: referral for referral in referrals}
    return [(visit, by_id[visit.referral_id]) for visit in visits]
