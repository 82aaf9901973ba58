"""What a roster may be, and how absences and closed days stand in it.

- A person's hours do not overlap, and neither do their absences.
- Who chairs the case meeting works at the site, and has a colleague to hand it to before leaving.
- What a programme's visits need stays: a room of the kind, and somebody of the discipline with hours for
  them.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import time
from itertools import pairwise
from zoneinfo import ZoneInfo

from services.scheduling import texts
from services.scheduling.models.rows import UnavailableTime
from services.scheduling.models.spans import Span
from services.scheduling.rules.calendar import DAY
from shared.clinic import Absence, Clinic, Person, Programme, Site, Weekday
from shared.clinic.roster import SiteRoster
from shared.errors import Conflict
from shared.reasons import Reason, Reference


class CannotChangeRoster(Conflict):
    """The roster would be one with which the clinic cannot keep what it promises; the text says why."""


def with_absences(roster: SiteRoster, rows: Sequence[UnavailableTime], *, zone: ZoneInfo) -> SiteRoster:
    """Return a roster with what counts of absences and closed days; all else stays."""
    people = tuple(
        person.model_copy(update={"absences": tuple(_absences(rows, person.id, zone))})
        for person in roster.people
    )
    closed = sorted({day for row in rows if row.person is None for day in _days(row, zone)})
    return roster.model_copy(update={"people": people, "place": roster.place | {"closed": closed}})


def why_not(clinic: Clinic, *, site_id: str) -> Iterator[Reason]:
    """Go through what is wrong with the roster of a site, as it is laid over a clinic."""
    site = clinic.site(site_id)
    people = [person for person in clinic.people if person.site == site_id]
    for person in people:
        if (day := _overlapping_day(person)) is not None:
            who = Reference(f"Practitioner/{person.id}")
            yield Reason.of("hours-overlap", practitioner=who, weekday=day)
    if site.meeting.chair not in {person.id for person in people}:
        chair = Reference(f"Practitioner/{site.meeting.chair}")
        yield Reason.of("chairs-the-meeting", practitioner=chair)
    for programme in clinic.programmes:
        if programme.site == site_id:
            yield from _not_kept(programme, site, people)


def _not_kept(programme: Programme, site: Site, people: Sequence[Person]) -> Iterator[Reason]:
    """Go through what a programme needs and the site would not have."""
    for discipline in programme.team:
        if all(person.discipline != discipline for person in people):
            yield Reason.of("last-of-discipline", discipline=discipline, programme=programme.id)
    course = programme.course
    visits = [("first", programme.first)]
    visits += [] if course is None else [("session", visit) for visit in course.treatments.values()]
    for purpose, visit in visits:
        if visit.room not in {room.kind for room in site.rooms}:
            yield Reason.of("last-room-of-kind", kind=visit.room, programme=programme.id)
        able = [person for person in people if person.discipline == visit.discipline]
        offered = [person for person in able if person.offered.active]
        hours = [part for person in offered for part in person.hours if part.is_open_to(programme.id)]
        if able and not any(purpose in part.purpose for part in hours):
            yield Reason.of(
                "last-hours-for", discipline=visit.discipline, purpose=purpose, programme=programme.id
            )


def _overlapping_day(person: Person) -> Weekday | None:
    for day in Weekday:
        parts = sorted((part.start, part.end) for part in person.hours if day in part.days)
        if any(later[0] < earlier[1] for earlier, later in pairwise(parts)):
            return day
    return None


def why_not_away(change_of: str | None, *, among: Iterable[UnavailableTime]) -> Reason | None:
    """Say why a person or a site is not away once more; `among` is what meets the time already."""
    found = next((row for row in among if row.person == change_of), None)
    if found is None:
        return None
    if change_of is None:
        return Reason.of("closed-already", until=found.ends_at)
    who = Reference(f"Practitioner/{change_of}")
    return Reason.of("away-already", practitioner=who, until=found.ends_at)


def is_whole_days(span: Span, *, zone: ZoneInfo) -> bool:
    """Tell whether a time begins and ends at midnights of the site."""
    return all(moment.astimezone(zone).time() == time(0) for moment in span)


def refusal(why: Reason, *, clinic: Clinic, site: Site, expression: str) -> CannotChangeRoster:
    """Refuse a change of a site's roster, in the site's zone and with the names of the clinic."""
    words = texts.words_of(clinic)
    return CannotChangeRoster.because(why, texts.REASONS, expression=expression, zone=site.zone, words=words)


def _absences(rows: Iterable[UnavailableTime], person: str, zone: ZoneInfo) -> Iterator[Absence]:
    for row in rows:
        if row.person == person:
            begins, ends = row.starts_at.astimezone(zone), row.ends_at.astimezone(zone)
            whole = ends.time() == time(0)
            written = {
                "from": begins.date(),
                "to": ends.date() - DAY if whole else ends.date(),
                "from_time": None if begins.time() == time(0) else begins.time(),
                "to_time": None if whole else ends.time(),
            }
            yield Absence.model_validate(written)


def _days(row: UnavailableTime, zone: ZoneInfo) -> Iterator[str]:
    day, end = row.starts_at.astimezone(zone).date(), row.ends_at.astimezone(zone).date()
    while day < end:
        yield day.isoformat()
        day += DAY
