"""From a site's wall clock to UTC: hours, closed days, absences, the meeting hour, over daylight saving.

- A wall-clock time that a day skips (clocks go forward) is read with the offset before the change, so it
  lies as much later on the wall as the clocks jumped; no working hour is lost or doubled by that.
- A wall-clock time that a day has twice (clocks go back) is the first of the two.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from services.scheduling.models.spans import Span
from services.scheduling.rules.intervals import clipped, merged, subtracted
from shared.clinic import Absence, Hours, Person, Site, Weekday

DAY = timedelta(days=1)
# A bound of the time at which a patient cannot come: a local day, a moment, or none.
Bound = date | datetime | None
_EARLIEST, _LATEST = date(1900, 1, 1), date(9000, 1, 1)
WEEKDAYS = tuple(Weekday)


def to_utc(day: date, wall: time, zone: ZoneInfo) -> datetime:
    """Return the moment at which a wall clock of the zone shows this time on this day."""
    return datetime.combine(day, wall, tzinfo=zone).astimezone(UTC)


def local_day_start(day: date, zone: ZoneInfo) -> datetime:
    """Return when a local day begins."""
    return to_utc(day, time(0), zone)


def local_day_end(day: date, zone: ZoneInfo) -> datetime:
    """Return when a local day is over: the first moment of the next one."""
    return to_utc(day + DAY, time(0), zone)


def next_at(wall: time, *, now: datetime, zone: ZoneInfo) -> datetime:
    """Return when a wall clock of the zone shows this time next, later today or tomorrow."""
    today = now.astimezone(zone).date()
    at = to_utc(today, wall, zone)
    return at if at > now else to_utc(today + DAY, wall, zone)


def span_between(first: Bound, last: Bound, zone: ZoneInfo) -> Span:
    """Return the time between two bounds: days are whole local days, both included; None has no end.

    What lies beside the years that can be counted is their first or last day.
    """
    begins = (
        first if isinstance(first, datetime) else local_day_start(max(first or _EARLIEST, _EARLIEST), zone)
    )
    ends = last if isinstance(last, datetime) else local_day_end(min(last or _LATEST, _LATEST), zone)
    return Span(begins, ends)


def spans_away(periods: Iterable[tuple[Bound, Bound]], zone: ZoneInfo) -> list[list[str]]:
    """Write the times at which a patient cannot come as they are kept: start and end of each."""
    spans = [span_between(first, last, zone) for first, last in periods]
    return [[span.start.isoformat(), span.end.isoformat()] for span in spans]


def local_days(window: Span, zone: ZoneInfo) -> Iterator[date]:
    """Go through every local day that shares a moment with the window."""
    day = window.start.astimezone(zone).date()
    while local_day_start(day, zone) < window.end:
        yield day
        day += DAY


def local_weeks(window: Span, zone: ZoneInfo) -> Iterator[Span]:
    """Cut the window at local midnights into pieces of at most seven days; no visit goes over midnight."""
    start = window.start
    while start < window.end:
        end = local_day_start(start.astimezone(zone).date() + 7 * DAY, zone)
        yield Span(start, min(end, window.end))
        start = end


def working_spans(
    person: Person,
    *,
    site: Site,
    purpose: str,
    window: Span,
    today: date | None = None,
    programme: str | None = None,
) -> list[Span]:
    """Return the times inside the window at which a person works for this purpose (`first` or `session`).

    Hours that are kept for programmes are among them for visits of these. As of a local day hours for
    something else are among them that are released by then.
    """
    worked = [
        Span(to_utc(day, hours.start, site.zone), to_utc(day, hours.end, site.zone))
        for day in local_days(window, site.zone)
        if day not in site.closed
        for hours in person.hours
        if _is_for(hours, day=day, purpose=purpose, today=today, programme=programme)
    ]
    kept = subtracted(worked, meeting_spans(site, window=window))
    if worked and (away := absent_spans(person, zone=site.zone, window=window)):
        kept = subtracted(kept, away)
    return clipped(kept, window)


def meeting_spans(site: Site, *, window: Span) -> list[Span]:
    """Return the hours inside the window that the site keeps for its case meeting."""
    hour = site.meeting
    starts = (
        to_utc(day, hour.start, site.zone)
        for day in local_days(window, site.zone)
        if day.weekday() == hour.weekday.number
    )
    return [Span(start, start + timedelta(minutes=hour.minutes)) for start in starts]


def absent_spans(person: Person, *, zone: ZoneInfo, window: Span) -> list[Span]:
    """Return the times inside the window at which a person is away, in order."""
    away = [absent_span(absence, zone) for absence in person.absences]
    return clipped(merged(span for span in away if span.meets(window)), window)


def offered_spans(person: Person, spans: Iterable[Span], *, zone: ZoneInfo) -> list[Span]:
    """Return what of these times of a person is offered to new visits."""
    offered = person.offered
    if not offered.active:
        return []
    if offered.start is None and offered.end is None:
        return list(spans)
    return clipped(spans, span_between(offered.start, offered.end, zone))


def absent_span(absence: Absence, zone: ZoneInfo) -> Span:
    """Return from when until when an absence lasts."""
    return span_between(
        _bound(absence.start, absence.start_time, zone), _bound(absence.end, absence.end_time, zone), zone
    )


def _bound(day: date, wall: time | None, zone: ZoneInfo) -> Bound:
    return day if wall is None else to_utc(day, wall, zone)


def _is_for(hours: Hours, *, day: date, purpose: str, today: date | None, programme: str | None) -> bool:
    if WEEKDAYS[day.weekday()] not in hours.days:
        return False
    is_its_own = purpose in hours.purpose and hours.is_open_to(programme)
    return is_its_own or (today is not None and _is_released(hours, day=day, today=today))


def _is_released(hours: Hours, *, day: date, today: date) -> bool:
    return hours.release_days is not None and day <= today + DAY * hours.release_days
