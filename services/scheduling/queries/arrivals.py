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
SELECT * FROM appointment WHERE site = $1 AND status = 'proposed' ORDER BY waits_since, id
"""
_PAST = """
SELECT referral.id, count(appointment.id) FILTER (WHERE appointment.status = 'noshow')::int AS missed
FROM referral LEFT JOIN appointment
  ON appointment.referral_id = referral.id AND appointment.kind IN ('first', 'joint-first')
WHERE referral.site = $1 AND referral.accepted_at >= $2 AND referral.accepted_at < $3
GROUP BY referral.id ORDER BY referral.accepted_at, referral.id
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


async def past(
    tx: Transaction, site: str, *, since: datetime, until: datetime
) -> Sequence[tuple[Referral, int]]:
    """Read the referrals that a site accepted between two moments, in order, and how often each missed its
    first visit.
    """
    records = await tx.records(_PAST, site, since, until)
    rows = await tx.rows(Referral, _REFERRALS, [record["id"] for record in records])
    by_id = {row.id: row for row in rows}
    return [(by_id[record["id"]], record["missed"]) for record in records]


async def promised(tx: Transaction, site: str) -> Sequence[tuple[Appointment, Referral]]:
    """Read the first visits of a site whose day follows, in the order in which they had none, with their
    referrals.
    """
    visits = await tx.rows(Appointment, _PROMISED, site)
    if not visits:
        return []
    referrals = await tx.rows(Referral, _REFERRALS, [visit.referral_id for visit in visits])
    by_id = {referral.id: referral for referral in referrals}
    return [(visit, by_id[visit.referral_id]) for visit in visits]
