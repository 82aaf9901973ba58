"""What of a series counts, what is still to come, what goes too far, and what is over."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from services.scheduling.models.rows import Appointment, Series
from services.scheduling.rules import late_cancellation
from services.scheduling.rules.calendar import local_day_start
from services.scheduling.rules.entitlement import Entitlement, SessionBounds, outside_dates
from services.scheduling.rules.series import Week, week_of
from services.scheduling.states import STANDING, AppointmentStatus, SeriesStatus, series_corrects, series_may
from shared.fhir.codes import AppointmentKind
from shared.reasons import Reason

_COUNTING = (*STANDING, AppointmentStatus.FULFILLED)


def counting(rows: Iterable[Appointment]) -> list[Appointment]:
    """Return the appointments that stand or took place."""
    return [row for row in rows if row.status in _COUNTING]


def to_come(sessions: Iterable[Appointment], *, after: datetime | None) -> list[Appointment]:
    """Return the booked sessions that begin after a moment; None says at any time."""
    return [
        row
        for row in sessions
        if row.status == AppointmentStatus.BOOKED
        and row.starts_at is not None
        and (after is None or row.starts_at > after)
    ]


def sessions_in(rows: Iterable[Appointment], *, discipline: str, only: str | None) -> list[Appointment]:
    """Return the sessions of a discipline; one that does not say whose it is belongs to the `only` one."""
    return [
        row for row in rows if row.kind == AppointmentKind.SESSION and (row.discipline or only) == discipline
    ]


def counted_by_discipline(rows: Iterable[Appointment], *, only: str | None) -> Counter[str]:
    """Count by discipline the sessions that stand or took place."""
    sessions = [row for row in counting(rows) if row.kind == AppointmentKind.SESSION]
    return Counter(row.discipline or only or "" for row in sessions)


def wanted_at_least(
    wanted: Mapping[str, int] | None, rows: Iterable[Appointment], *, only: str | None
) -> dict[str, int]:
    """Return how many sessions a series is to have, no fewer than it has.

    Of one that does not say it these are the sessions that it has, those that were missed included.
    """
    sessions = [row for row in rows if row.kind == AppointmentKind.SESSION]
    have = counted_by_discipline(sessions, only=only)
    if wanted is None:
        missed = [row for row in sessions if row.status == AppointmentStatus.MISSED]
        have.update(row.discipline or only or "" for row in missed)
        return dict(have)
    return {
        one: max(wanted.get(one, 0), have[one])
        for one in (*wanted, *(key for key in have if key not in wanted))
    }


def missing(
    wanted: Mapping[str, int], rows: Sequence[Appointment], *, entitled: Entitlement, only: str | None
) -> dict[str, int]:
    """Return how many sessions of each discipline a series still wants inside what is entitled."""
    have = counted_by_discipline(rows, only=only)
    late = Counter(row.discipline or only or "" for row in late_cancellation.using_a_unit(rows))
    found = {}
    for discipline, count in wanted.items():
        room = entitled.of(discipline).count - late[discipline]
        if (left := min(count, room) - have[discipline]) > 0:
            found[discipline] = left
    return found


def weeks_behind(rows: Iterable[Appointment], *, weeks: int, zone: ZoneInfo) -> datetime | None:
    """Return when the local day begins that lies so many weeks behind the last of these; None for none."""
    last = max((row.starts_at for row in rows if row.starts_at is not None), default=None)
    return (
        None if last is None else local_day_start(last.astimezone(zone).date() + timedelta(weeks=weeks), zone)
    )


def missed_in_a_row(rows: Iterable[Appointment]) -> int:
    """Count how many of the sessions that were recorded last were missed, one after the other."""
    recorded = (AppointmentStatus.MISSED, AppointmentStatus.FULFILLED)
    known = [(row.starts_at, row.status) for row in rows if row.status in recorded and row.starts_at]
    count = 0
    for _, status in sorted(known, reverse=True):
        if status != AppointmentStatus.MISSED:
            break
        count += 1
    return count


def still_short(short: Mapping[str, int] | None, booked: str) -> dict[str, int] | None:
    """Return what a series is still short of once a session of a discipline was booked; None for nothing."""
    left = {one: count - (one == booked) for one, count in (short or {}).items()}
    return {one: count for one, count in left.items() if count > 0} or None


def surplus_of(
    wanted: Mapping[str, int], rows: Sequence[Appointment], *, only: str | None, now: datetime
) -> list[Appointment]:
    """Return the last sessions to come of each discipline that has more than the series wants."""
    have = counted_by_discipline(rows, only=only)
    found: list[Appointment] = []
    for discipline, count in wanted.items():
        own = sessions_in(to_come(rows, after=now), discipline=discipline, only=only)
        surplus = min(max(have[discipline] - count, 0), len(own))
        found += own[len(own) - surplus :]
    return found


def given_up(
    wanted: Mapping[str, int] | None,
    rows: Sequence[Appointment],
    dropped: Sequence[Appointment],
    *,
    only: str | None,
) -> dict[str, int]:
    """Return what a series wants when people called these sessions off: they are never booked again."""
    if wanted is None:
        return wanted_at_least(None, rows, only=only)
    gone = Counter(row.discipline or only or "" for row in dropped if row.kind == AppointmentKind.SESSION)
    return {discipline: max(count - gone[discipline], 0) for discipline, count in wanted.items()}


def beyond(
    sessions: Sequence[Appointment], *, entitled: Entitlement, only: str | None, now: datetime, zone: ZoneInfo
) -> list[Appointment]:
    """Return the sessions to come that lie outside the dates of their discipline, or are more than its count.

    What was called off so late that its unit is used counts with what stands or took place; reviews and
    groups need no grant.
    """
    kept = Counter(row.discipline or only or "" for row in late_cancellation.using_a_unit(sessions))
    surplus = []
    for row in counting(sessions):
        if row.kind != AppointmentKind.SESSION:
            continue
        discipline = row.discipline or only or ""
        bounds, is_ahead = entitled.of(discipline), bool(to_come([row], after=now))
        if kept[discipline] < bounds.count and not (is_ahead and _is_outside(row, bounds, zone=zone)):
            kept[discipline] += 1
        elif is_ahead:
            surplus.append(row)
    return surplus


def held_when_over(series: Series | None, sessions: Sequence[Appointment]) -> int | None:
    """Count the sessions that took place of a booked series of which nothing stands any more, else None."""
    if series is None or series.status != SeriesStatus.BOOKED:
        return None
    if any(row.status in STANDING for row in sessions):
        return None
    return _held(sessions)


@dataclass(frozen=True, kw_only=True)
class CorrectedSeries:
    """What a series is after a session of it was corrected, and why."""

    status: SeriesStatus
    because: Sequence[Reason]


def corrected(series: Series | None, sessions: Sequence[Appointment]) -> CorrectedSeries | None:
    """Return what a series is once a session of it was corrected; None where that changes nothing.

    One of which something stands goes on. One that is over says how many sessions took place.
    """
    if series is None or series.status == SeriesStatus.NOT_BOOKED:
        return None
    if any(row.status in STANDING for row in sessions):
        is_over = series.status in (SeriesStatus.COMPLETED, SeriesStatus.SUSPENDED)
        return CorrectedSeries(status=SeriesStatus.BOOKED, because=()) if is_over else None
    was_counted = any(reason.code == "sessions-held" for reason in series.reasons)
    if series.status == SeriesStatus.SUSPENDED and not was_counted:
        return None
    held = _held(sessions)
    because = [Reason.of("sessions-held", count=held)]
    status = SeriesStatus.COMPLETED if held else SeriesStatus.SUSPENDED
    before = SeriesStatus(series.status)
    is_known = (before, series.reasons) == (status, because)
    if is_known or not series_corrects(before, status):
        return None
    return CorrectedSeries(status=status, because=because)


def not_booked_is_news(series: Series, *, because: Sequence[Reason]) -> bool:
    """Tell whether there is something to say of a series that is not booked.

    It is said once for the same reason, and never of a series that took place.
    """
    status = SeriesStatus(series.status)
    is_known = series.version > 0 and status is SeriesStatus.NOT_BOOKED and series.reasons == because
    return not is_known and series_may(status, SeriesStatus.NOT_BOOKED)


def weeks_of(rows: Iterable[Appointment], *, zone: ZoneInfo) -> Counter[Week]:
    """Count appointments by the local week in which they begin."""
    return Counter(week_of(row.starts_at.astimezone(zone).date()) for row in rows if row.starts_at)


def _held(sessions: Iterable[Appointment]) -> int:
    return sum(
        (row.kind, row.status) == (AppointmentKind.SESSION, AppointmentStatus.FULFILLED) for row in sessions
    )


def _is_outside(row: Appointment, bounds: SessionBounds, *, zone: ZoneInfo) -> bool:
    starts_at = row.starts_at
    if starts_at is None:
        return False
    return outside_dates(starts_at.astimezone(zone).date(), bounds=bounds) is not None
