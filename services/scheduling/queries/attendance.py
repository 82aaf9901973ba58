"""What became of the visits of a site, counted in the database; no row leaves it."""

from collections.abc import Sequence
from datetime import datetime

from services.scheduling.models.attendance import AttendanceRow
from shared.db import Transaction

# A clinic counts by visit: of one that was called off, who did so and whether that was late.
_COUNTED = """
SELECT programme, kind,
  count(*) FILTER (WHERE status = 'fulfilled') AS took_place,
  count(*) FILTER (WHERE status = 'noshow') AS missed,
  count(*) FILTER (WHERE status = 'cancelled' AND reasons @> '[{"code": "left-unseen"}]') AS left_unseen,
  count(*) FILTER (WHERE status = 'cancelled' AND patient_caused) AS called_off_by_patient,
  count(*) FILTER (WHERE status = 'cancelled' AND reasons @> '[{"code": "cancelled-late"}]') AS late,
  count(*) FILTER (
    WHERE status = 'cancelled' AND reasons @> '[{"code": "late-uses-a-unit"}]'
  ) AS late_units,
  count(*) FILTER (
    WHERE status = 'cancelled' AND NOT patient_caused AND NOT reasons @> '[{"code": "left-unseen"}]'
  ) AS called_off_by_clinic,
  count(*) FILTER (WHERE status IN ('booked', 'arrived', 'checked-in') AND ends_at <= $4) AS unrecorded
FROM appointment
WHERE site = $1 AND starts_at >= $2 AND starts_at < $3 AND status <> 'pending' AND held_until IS NULL
GROUP BY programme, kind ORDER BY programme, kind
"""


async def counted(
    tx: Transaction, site: str, *, since: datetime, until: datetime, at: datetime
) -> Sequence[AttendanceRow]:
    """Count the visits of a site that begin from one moment on and before another, by programme and kind."""
    return [AttendanceRow(**record) for record in await tx.records(_COUNTED, site, since, until, at)]
