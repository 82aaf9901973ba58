"""Free time, computed and never stored: working hours less what is taken.

Visits begin at full quarter hours.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from services.scheduling.models.spans import Span, Taken
from services.scheduling.rules.calendar import offered_spans, working_spans
from services.scheduling.rules.intervals import subtracted
from services.scheduling.rules.needs import person_key
from services.scheduling.rules.notice import STEP
from shared.clinic import Person, Site

_PURPOSES = ("first", "session")
_STEP_SECONDS = STEP.total_seconds()


def left_of(works: Iterable[Span], person: Person, *, taken: Taken) -> list[Span]:
    """Return what is left of a clinician's working time."""
    return subtracted(works, taken.get(person_key(person.id), ()))


def of_person(person: Person, *, site: Site, taken: Taken, window: Span) -> list[Span]:
    """Return a clinician's free time inside the window, for first visits and sessions alike."""
    works = [
        span
        for purpose in _PURPOSES
        for span in working_spans(person, site=site, purpose=purpose, window=window)
    ]
    return left_of(offered_spans(person, works, zone=site.zone), person, taken=taken)


def visits_in(span: Span, *, length: timedelta) -> int:
    """Count the visits of this length that fit into a span one after the other."""
    first = next(starts_in(span, length=length), None)
    return 0 if first is None else (span.end - first) // length


def starts_in(span: Span, *, length: timedelta) -> Iterator[datetime]:
    """Go through the full quarter hours at which a visit of this length fits into a span."""
    behind = span.start.timestamp() % _STEP_SECONDS
    start = span.start + (timedelta(seconds=_STEP_SECONDS - behind) if behind else timedelta())
    while start + length <= span.end:
        yield start
        start += STEP
