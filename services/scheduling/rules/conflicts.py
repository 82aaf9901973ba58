"""Which booked visits no longer fit the description of the clinic, and what becomes of the Task for them.

- A visit fits where its clinician works at its site, is not away, and has hours for its purpose for all of
  it, and where its room is there and the site is open. The meeting hour is not among the hours.
- Two visits of one person at the same time do not fit, which shows when two records are merged.
- What a person has settled is not asked again while it stays as it was: the same visit at the same time for
  the same reasons.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from services.scheduling.models.conflicts import VisitConflict
from services.scheduling.models.rows import Appointment, ReplanTask, TellingTask, VisitTask
from services.scheduling.models.spans import Span
from services.scheduling.rules.calendar import absent_spans, working_spans
from services.scheduling.rules.needs import purpose_of
from services.scheduling.states import ReplanStatus
from shared.clinic import Clinic, Person, Site
from shared.errors import Conflict
from shared.fhir.codes import TaskCode
from shared.reasons import Reason, Reference

# Why nobody is there for a visit, whatever becomes of its room.
UNATTENDED = frozenset({"person-left", "works-elsewhere", "person-absent", "site-closed"})


class TaskEnded(Conflict):
    """The Task has ended and stays so."""


@dataclass(frozen=True, kw_only=True)
class Replanning:
    """What a Task names from now on, and whether any of it is new."""

    visits: Sequence[VisitConflict]
    has_news: bool


def of_visits(
    visits: Sequence[Appointment], *, clinic: Clinic, site: Site, merged: Mapping[str, str]
) -> list[VisitConflict]:
    """List the visits of a site that do not fit, in their order.

    `merged` gives the record that goes on for each that was merged into it: one person is in one place.
    """
    found = []
    by_person = _by_person(visits, merged=merged)
    for row in visits:
        others = by_person.get(merged.get(row.patient_id, row.patient_id), ())
        reasons = (*_reasons(row, clinic=clinic, site=site), *_overlaps(row, others))
        if reasons and row.starts_at is not None:
            found.append(VisitConflict(appointment=row.id, starts_at=row.starts_at, reasons=reasons))
    return found


def replanning(
    conflicts: Iterable[VisitConflict], *, named: Sequence[VisitConflict], settled: Collection[VisitConflict]
) -> Replanning | None:
    """Return what the open Task names now, which named these before; None where nothing is different."""
    left = [conflict for conflict in conflicts if conflict not in settled]
    if left == list(named):
        return None
    return Replanning(visits=left, has_news=any(conflict not in named for conflict in left))


def why_not_ended_by_hand(task: ReplanTask | TellingTask | VisitTask) -> Reason | None:
    """Say why nobody completes a Task any more, or never by hand; None where somebody does."""
    if isinstance(task, VisitTask) and task.code == TaskCode.RECORD_VISIT:
        return Reason.of("ends-when-recorded")
    if task.status == ReplanStatus.REQUESTED:
        return None
    return Reason.of("task-ended", now=task.status)


def _by_person(
    visits: Iterable[Appointment], *, merged: Mapping[str, str]
) -> Mapping[str, Sequence[Appointment]]:
    """Group the visits of those people who have several records."""
    people = {*merged.values()}
    found: dict[str, list[Appointment]] = {}
    for row in visits:
        person = merged.get(row.patient_id, row.patient_id)
        if person in people:
            found.setdefault(person, []).append(row)
    return found


def _overlaps(row: Appointment, others: Iterable[Appointment]) -> Iterator[Reason]:
    for other in others:
        spans = (row.starts_at, row.ends_at, other.starts_at, other.ends_at)
        if other.patient_id == row.patient_id or None in spans:
            continue
        if row.starts_at < other.ends_at and other.starts_at < row.ends_at:  # type: ignore[operator]
            yield Reason.of("same-person-then", visit=Reference(f"Appointment/{other.id}"))


def _reasons(row: Appointment, *, clinic: Clinic, site: Site) -> Iterator[Reason]:
    if row.starts_at is None or row.ends_at is None:
        return
    day, span = row.starts_at.astimezone(site.zone).date(), Span(row.starts_at, row.ends_at)
    if row.room is not None and row.room not in {room.id for room in site.rooms}:
        yield Reason.of("room-gone", room=Reference(f"Location/{row.room}"))
    if day in site.closed:
        yield Reason.of("site-closed", day=day)
    for person_id in (row.practitioner, *row.colleagues):
        yield from _reasons_of(str(person_id), span, kind=row.kind, clinic=clinic, site=site)


def _has_hours(person: Person, span: Span, *, day: date, purpose: str, site: Site) -> bool:
    """Tell whether a person works at this time for this, or could once these hours were released."""
    return working_spans(person, site=site, purpose=purpose, window=span, today=day) == [span]


def _reasons_of(person_id: str, span: Span, *, kind: str, clinic: Clinic, site: Site) -> Iterator[Reason]:
    """Say why a person cannot be at a visit."""
    day, purpose = span.start.astimezone(site.zone).date(), purpose_of(kind)
    who = Reference(f"Practitioner/{person_id}")
    person = next((person for person in clinic.people if person.id == person_id), None)
    if person is None:
        yield Reason.of("person-left", practitioner=who)
    elif person.site != site.id:
        yield Reason.of("works-elsewhere", practitioner=who)
    elif absent_spans(person, zone=site.zone, window=span):
        yield Reason.of("person-absent", practitioner=who, day=day)
    elif day not in site.closed and not _has_hours(person, span, day=day, purpose=purpose, site=site):
        yield Reason.of("no-hours", practitioner=who, purpose=purpose)
