"""The days of clinicians and rooms, from the description of the clinic and what is taken."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from services.scheduling.models.calendar_days import CalendarDay, CalendarVisit
from services.scheduling.models.spans import Span, Taken
from services.scheduling.rules.calendar import (
    WEEKDAYS,
    absent_spans,
    local_day_end,
    local_day_start,
    meeting_spans,
    to_utc,
)
from services.scheduling.rules.free_time import of_person
from services.scheduling.rules.intervals import clipped, merged, subtracted
from services.scheduling.rules.needs import room_key
from shared.clinic import Person, Room, Site


def day_of_person(
    person: Person, day: date, *, site: Site, visits: Sequence[CalendarVisit], taken: Taken, now: datetime
) -> CalendarDay:
    """Return a clinician's day; what is free is what is left of it from now on."""
    whole = _whole(day, site)
    to_come = Span(max(whole.start, min(now, whole.end)), whole.end)
    return CalendarDay(
        day=day,
        visits=[visit for visit in visits if _is_on(visit, whole)],
        hours=hours_on(person, day, site=site),
        absences=absent_spans(person, zone=site.zone, window=whole),
        meetings=meeting_spans(site, window=whole),
        free=of_person(person, site=site, taken=taken, window=to_come),
    )


def day_of_room(
    room: Room,
    day: date,
    *,
    site: Site,
    opened: Sequence[Span],
    visits: Sequence[CalendarVisit],
    taken: Taken,
    now: datetime,
) -> CalendarDay:
    """Return a room's day; it is free from now on while the site is `opened` and nobody has it."""
    whole = _whole(day, site)
    to_come = Span(max(whole.start, min(now, whole.end)), whole.end)
    return CalendarDay(
        day=day,
        visits=[visit for visit in visits if _is_on(visit, whole)],
        free=clipped(subtracted(opened, taken.get(room_key(room.id), ())), to_come),
    )


def opening_hours(people: Iterable[Person], day: date, *, site: Site) -> list[Span]:
    """Return when any of these people work at the site on a day."""
    return merged(span for person in people for span in hours_on(person, day, site=site))


def hours_on(person: Person, day: date, *, site: Site) -> list[Span]:
    """Return a clinician's weekly hours on a day, for whatever purpose; none where the site is closed."""
    if day in site.closed:
        return []
    weekday = WEEKDAYS[day.weekday()]
    return merged(
        Span(to_utc(day, hours.start, site.zone), to_utc(day, hours.end, site.zone))
        for hours in person.hours
        if weekday in hours.days
    )


def _whole(day: date, site: Site) -> Span:
    return Span(local_day_start(day, site.zone), local_day_end(day, site.zone))


def _is_on(visit: CalendarVisit, day: Span) -> bool:
    starts = visit.row.starts_at
    return starts is not None and day.start <= starts < day.end
