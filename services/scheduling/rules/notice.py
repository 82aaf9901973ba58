"""How soon and how late Lumbar books by itself.

- Nobody is booked with less than a day's notice: a patient must be told and must get there. A coordinator
  may choose any time that is still to come.
- Times begin at a full quarter of an hour.
- A first appointment is booked inside the promise. Only after the promise broke, the earliest time at all
  is taken, however late: care goes on.
"""

from datetime import datetime, timedelta

from services.scheduling.models.spans import Span

NOTICE = timedelta(hours=24)
STEP = timedelta(minutes=15)
BACKSTOP = timedelta(weeks=26)


def first_window(*, now: datetime, due_at: datetime) -> Span:
    """Tell between which moments a first appointment may lie; empty when the promise ends too soon."""
    earliest = now + NOTICE
    return Span(earliest, now + BACKSTOP if now >= due_at else max(earliest, due_at))
