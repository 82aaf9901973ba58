"""Which sessions an act on a series means, and when each of them is after a move.

- What is over, was recorded or was called off is never meant.
- "This and following" counts from the start of the session that is named; "all" is all that is to come.
- A move means the sessions of the same discipline on the same weekday at the same wall-clock time: each
  goes as many days and as much of the wall clock further as the one that is named, over daylight saving too.
- Another clinician or room at the times that they have means the sessions of the same discipline on any day.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from services.scheduling.models.rows import Appointment, Referral, Series
from services.scheduling.models.series_change import Scope, SeriesAct
from services.scheduling.rules.calendar import to_utc
from services.scheduling.rules.series_state import to_come
from services.scheduling.states import ReferralState, SeriesStatus
from shared.reasons import Reason


def why_not(act: SeriesAct, series: Series, *, referral: Referral) -> Reason | None:
    """Say why an act is not possible with a series as it stands; None where it is."""
    if referral.state == ReferralState.ENDED:
        return Reason.of("referral-ended")
    if act == SeriesAct.BOOK_PARTLY:
        is_open = series.status == SeriesStatus.NOT_BOOKED and series.short_since is not None
        return None if is_open else Reason.of("series-not-refused")
    if act == SeriesAct.SETTLE:
        return None if series.short_since is not None else Reason.of("nothing-to-settle")
    if act == SeriesAct.EXTEND and series.status == SeriesStatus.COMPLETED:
        return None
    return None if series.status == SeriesStatus.BOOKED else Reason.of("no-series")


def meant(
    sessions: Sequence[Appointment], anchor: Appointment | None, *, scope: Scope, now: datetime
) -> list[Appointment]:
    """Return the sessions still to come that a scope means."""
    left = to_come(sessions, after=now)
    if scope == Scope.ALL:
        return left
    if anchor is None or anchor.starts_at is None:
        return []
    if scope == Scope.ONE:
        return [row for row in left if row.id == anchor.id]
    return [row for row in left if row.starts_at is not None and row.starts_at >= anchor.starts_at]


def alike(sessions: Sequence[Appointment], anchor: Appointment, *, zone: ZoneInfo) -> list[Appointment]:
    """Return those of the anchor's discipline on its weekday at its wall-clock time."""
    place = _place(anchor, zone)
    return [row for row in of_kind(sessions, anchor) if _place(row, zone) == place]


def of_kind(sessions: Sequence[Appointment], anchor: Appointment) -> list[Appointment]:
    """Return those of the anchor's discipline, or that are the same visit of the programme."""
    kind = (anchor.discipline, anchor.visit_type)
    return [row for row in sessions if (row.discipline, row.visit_type) == kind]


def moved_start(row: Appointment, *, old: datetime, new: datetime, zone: ZoneInfo) -> datetime:
    """Return the start of a session when another one goes from one start to another."""
    before, after = old.astimezone(zone), new.astimezone(zone)
    local = (row.starts_at or old).astimezone(zone)
    naive = local.replace(tzinfo=None) + (after.replace(tzinfo=None) - before.replace(tzinfo=None))
    return to_utc(naive.date(), naive.time(), zone)


def between(
    sessions: Sequence[Appointment], *, start: datetime, end: datetime, now: datetime
) -> list[Appointment]:
    """Return the sessions still to come that begin between two moments."""
    return [row for row in to_come(sessions, after=now) if row.starts_at and start <= row.starts_at < end]


def _place(row: Appointment, zone: ZoneInfo) -> tuple[int, timedelta] | None:
    if row.starts_at is None:
        return None
    local = row.starts_at.astimezone(zone)
    return local.weekday(), timedelta(hours=local.hour, minutes=local.minute)
