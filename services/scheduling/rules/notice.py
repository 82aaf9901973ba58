"""How soon and how late Lumbar books by itself.

- Never on the same local day, and never with less than twelve hours' notice: a patient must be told and must
  get there. Who must be seen at once (stat) may come on the same day, from two hours ahead. A coordinator may
  choose any time that is still to come.
- Times begin at a full quarter of an hour.
- A first appointment is booked inside the guarantee. Only after the guarantee broke, the earliest time at all
  is taken, however late: care goes on.
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from services.scheduling.models.spans import Span
from services.scheduling.rules.calendar import local_day_end
from shared.clinic.guarantee import STAT_NOTICE
from shared.fhir.codes import RequestPriority

NOTICE = timedelta(hours=12)
STEP = timedelta(minutes=15)
BACKSTOP = timedelta(weeks=26)


def earliest_start(*, now: datetime, zone: ZoneInfo, priority: str = RequestPriority.ROUTINE) -> datetime:
    """Return from when on a patient who is told now can be expected."""
    if priority == RequestPriority.STAT:
        return now + STAT_NOTICE
    return max(local_day_end(now.astimezone(zone).date(), zone), now + NOTICE)


def first_window(
    *, now: datetime, due_at: datetime, zone: ZoneInfo, priority: str = RequestPriority.ROUTINE
) -> Span:
    """Return between which moments a first appointment may lie; empty when the guarantee ends too soon."""
    earliest = earliest_start(now=now, zone=zone, priority=priority)
    return Span(earliest, now + BACKSTOP if now >= due_at else max(earliest, due_at))
