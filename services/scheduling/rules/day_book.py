"""What a site has free for first visits, day by day: from hours and what is taken to numbers of visits.

- A group is a discipline: whoever works in it takes every first visit that asks for it.
- A visit is counted as long as the longest first visit of its discipline: no day promises what its hours do
  not hold. Rooms bound a day too; which time a visit gets the calendar decides.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from services.scheduling.models.demand import DayBook
from services.scheduling.models.spans import NOTHING_TAKEN, Span, Taken
from services.scheduling.rules.calendar import local_day_end, local_day_start
from services.scheduling.rules.free_time import visits_in
from services.scheduling.rules.intervals import clipped, subtracted
from services.scheduling.rules.needs import Need, person_key, room_key
from shared.clinic import Site

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class BookedDays:
    """The needs of a site's first visits by their names, and the local days that are looked at."""

    needs: Mapping[str, Need]
    days: Sequence[date]

    @property
    def resources(self) -> list[str]:
        """Every clinician and room that a first visit could take."""
        return sorted({one for need in self.needs.values() for one in need.resources})

    @property
    def window(self) -> Span:
        """The time from the first day to the end of the last one."""
        zone = self.site.zone
        return Span(local_day_start(self.days[0], zone), local_day_end(self.days[-1], zone))

    @property
    def site(self) -> Site:
        """Where it is."""
        return next(iter(self.needs.values())).site


def book_of(days: BookedDays, *, taken: Taken) -> DayBook:
    """Count the visits of each discipline on each day: what is free, and what there is with nothing taken."""
    by_group = {
        need.discipline.value: need for need in sorted(days.needs.values(), key=lambda one: one.length)
    }
    places = [(group, day) for group in by_group for day in days.days]
    return DayBook(
        groups={name: (need.discipline.value,) for name, need in days.needs.items()},
        free={(group, day): _visits(by_group[group], day, taken) for group, day in places},
        whole={(group, day): _visits(by_group[group], day, NOTHING_TAKEN) for group, day in places},
        is_working=lambda day: is_working(days.site, day),
    )


def is_working(site: Site, day: date) -> bool:
    """Tell whether a site works on a day: Monday to Friday, but for its closed days."""
    return day.weekday() < 5 and day not in site.closed


def next_working_day_over(site: Site, *, now: datetime) -> datetime:
    """Return when the next local day on which a site works is over."""
    day = now.astimezone(site.zone).date() + _DAY
    while not is_working(site, day):
        day += _DAY
    return local_day_end(day, site.zone)


def _visits(need: Need, day: date, taken: Taken) -> int:
    zone = need.site.zone
    whole = Span(local_day_start(day, zone), local_day_end(day, zone))
    open_hours: list[Span] = []
    of_people = 0
    for person in need.people:
        works = need.offers(person, window=whole, days=(day,))
        open_hours += works
        free = subtracted(works, _of_day(taken, person_key(person.id), whole))
        of_people += sum(visits_in(span, length=need.length) for span in free)
    if not of_people:
        return 0
    begins, ends = min(span.start for span in open_hours), max(span.end for span in open_hours)
    in_rooms = sum(
        visits_in(span, length=need.length)
        for room in need.rooms
        for span in subtracted([Span(begins, ends)], _of_day(taken, room_key(room.id), whole))
    )
    return min(of_people, in_rooms)


def _of_day(taken: Taken, resource: str, day: Span) -> list[Span]:
    return clipped(taken.get(resource, ()), day)
