"""What those outside the clinic book, referrers and patients: the first visit of their referral, and when.

- They are offered what the carve-out leaves to the referral's priority: nobody takes what is kept for a
  higher one, until it is for everybody.
- A visit is booked with the notice that Lumbar itself keeps, and inside the second promise.
"""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from services.scheduling.models.demand import Outlook, Unscheduled
from services.scheduling.models.rows import Referral
from services.scheduling.models.spans import Span
from services.scheduling.rules import carve_out, guarantee, notice
from shared.auth.principal import Principal
from shared.reasons import Reason

_OUTSIDE = ("referrer", "patient")


def is_outside(caller: Principal) -> bool:
    """Tell whether a caller is nobody of the clinic."""
    return caller.party in _OUTSIDE


def window(referral: Referral, *, now: datetime, second_days: int, zone: ZoneInfo) -> Span:
    """Return between which moments a first visit may begin that is booked from outside."""
    start = notice.earliest_start(now=now, zone=zone, priority=referral.priority)
    return Span(start, max(start, guarantee.second_end(referral.sent_at, days=second_days, zone=zone)))


def is_open(who: Unscheduled, outlook: Outlook, *, day: date) -> bool:
    """Tell whether the carve-out leaves a visit of a day to a referral's priority."""
    book, today = outlook.book, outlook.today
    kept = carve_out.kept_visits(who, book, terms=outlook.terms, today=today, day=day)
    return who.can_come(day) and carve_out.free_visits(who, book, day=day) > kept


def why_not_then(start: datetime, *, allowed: Span) -> Reason | None:
    """Say why a time is too soon or too late to be booked from outside; None where it is neither."""
    if start < allowed.start:
        return Reason.of("too-soon", earliest=allowed.start)
    return Reason.of("too-late", until=allowed.end) if start >= allowed.end else None
