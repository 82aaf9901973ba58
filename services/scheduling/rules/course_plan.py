"""What of a course is still to be booked: how many of what in which week, and between which moments.

What took place or stands already is taken off the beginning of the course; a grant that is smaller than the
course ends it earlier.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from services.scheduling.models.rows import Appointment
from services.scheduling.models.spans import Span
from services.scheduling.rules.calendar import local_day_end, local_day_start
from services.scheduling.rules.entitlement import Entitlement, SessionBounds
from services.scheduling.rules.needs import Need, need_of, need_of_type
from services.scheduling.rules.notice import earliest_start
from services.scheduling.rules.series_search import CourseBounds
from services.scheduling.rules.series_state import counting
from services.scheduling.rules.series_strands import Strand
from shared.clinic import Clinic, Course, Programme
from shared.fhir.codes import AppointmentKind

# Beside the weeks of a course, so many may have no room; and so far a later beginning is looked for.
_SPARE_WEEKS = 4
_LOOK_WEEKS = 26


@dataclass(frozen=True, kw_only=True)
class CoursePlan:
    """Everything of a course that is still to be booked, and where: `look` reaches farther than `window`."""

    strands: Sequence[Strand]
    bounds: CourseBounds
    window: Span
    look: Span

    @property
    def resources(self) -> list[str]:
        """Everything that it could take but the patient."""
        return sorted({resource for strand in self.strands for resource in strand.need.resources})

    @property
    def is_intensive(self) -> bool:
        """Whether a week of it is a block of whole days."""
        return any(self.bounds.days)


def targets(course: Course, *, wanted: Mapping[str, int] | None, entitled: Entitlement) -> dict[str, int]:
    """Return how many sessions of each discipline there are to be: what is wanted, inside what is granted."""
    totals = {one.value: count for one, count in course.totals.items()}
    asked = totals if wanted is None else {one: wanted.get(one, 0) for one in totals}
    return {one: min(count, entitled.of(one).count) for one, count in asked.items()}


def plan_of(
    clinic: Clinic,
    programme: Programme,
    course: Course,
    *,
    site_id: str,
    targets: Mapping[str, int],
    entitled: Entitlement,
    kept: Iterable[Appointment],
    after: datetime,
    now: datetime,
) -> CoursePlan:
    """Plan what is left of a course after a moment, beside what is `kept` of it."""
    zone = clinic.site(site_id).zone
    earliest = max(after, earliest_start(now=now, zone=zone))
    horizon = earliest + timedelta(weeks=len(course.weeks) + _SPARE_WEEKS)
    window, look = Span(earliest, horizon), Span(earliest, horizon + timedelta(weeks=_LOOK_WEEKS))
    only = next(iter(course.treatments)).value
    have = Counter(row.visit_type or row.discipline or only for row in counting(kept))
    strands: list[Strand] = []
    for discipline, visit in course.treatments.items():
        weekly = [week.sessions.get(discipline, 0) for week in course.weeks]
        strands.append(
            Strand(
                key=discipline.value,
                need=need_of(
                    clinic, site_id=site_id, visit=visit, purpose="session", programme=programme.id
                ).as_of(now),
                per_week=_left(weekly, done=have[discipline], until=targets.get(discipline, 0)),
                window=_inside(window, entitled.of(discipline), zone=zone),
            )
        )
    for name in dict.fromkeys(name for week in course.weeks for name in week.visits):
        if (need := _need_of_visit(clinic, programme, name, site_id=site_id)) is not None:
            weekly = [week.visits.get(name, 0) for week in course.weeks]
            left = _left(weekly, done=have[name], until=sum(weekly))
            strands.append(
                Strand(key=name, need=need.as_of(now), per_week=left, window=window, visit_type=name)
            )
    return _trimmed(strands, course, window=window, look=look)


def kind_of(programme: Programme, strand: Strand) -> AppointmentKind:
    """Return the kind of the visits of a strand."""
    visit = programme.visit_type(strand.visit_type) if strand.visit_type else None
    return AppointmentKind.SESSION if visit is None else AppointmentKind(visit.kind)


def _need_of_visit(clinic: Clinic, programme: Programme, name: str, *, site_id: str) -> Need | None:
    visit = programme.visit_type(name)
    if visit is None:
        return None
    return need_of_type(clinic, site_id=site_id, visit=visit, programme=programme.id)


def _left(weekly: Sequence[int], *, done: int, until: int) -> list[int]:
    """Take what was done off the beginning, and what is too much off the end."""
    left, still = [], max(until - done, 0)
    for count in weekly:
        gone = min(count, done)
        done -= gone
        given = min(count - gone, still)
        still -= given
        left.append(given)
    return left


def _inside(window: Span, bounds: SessionBounds, *, zone: ZoneInfo) -> Span:
    start, end = window
    if bounds.starts_on is not None:
        start = max(start, local_day_start(bounds.starts_on, zone))
    if bounds.ends_on is not None:
        end = min(end, local_day_end(bounds.ends_on, zone))
    return Span(start, max(start, end))


def _trimmed(strands: Sequence[Strand], course: Course, *, window: Span, look: Span) -> CoursePlan:
    """End the course with its last session: a review or a group alone is no week of it."""
    sessions = [one for one in strands if one.visit_type is None]
    last = max((number for one in sessions for number, count in enumerate(one.per_week) if count), default=-1)
    kept = [replace(one, per_week=list(one.per_week[: last + 1])) for one in strands]
    weeks = course.weeks[: last + 1]
    bounds = CourseBounds(days=[week.days for week in weeks], hours=[week.hours for week in weeks])
    return CoursePlan(strands=[one for one in kept if one.count], bounds=bounds, window=window, look=look)
