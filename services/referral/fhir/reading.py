"""Small readings of FHIR values: dates of any precision, identifiers as `system|value`, periods."""

import calendar
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Any

from services.referral.models.facts import Day

_DATE = re.compile(r"^(\d{4})(?:-(\d{2}))?(?:-(\d{2}))?(?:T|$)")


def day_of(text: Any) -> Day | None:
    """Read a date or dateTime as the days it may mean, None where it is none."""
    matched = _DATE.match(text) if isinstance(text, str) else None
    if matched is None:
        return None
    year, month, day = (None if part is None else int(part) for part in matched.groups())
    try:
        if year is None or month is None:
            return Day(date(int(year or 0), 1, 1), date(int(year or 0), 12, 31))
        if day is None:
            return Day(date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1]))
        return Day(date(year, month, day), date(year, month, day))
    except (ValueError, calendar.IllegalMonthError):
        return None


def moment_of(text: Any) -> datetime | None:
    """Read a dateTime as an instant (a date as its first moment in UTC), None where it is none."""
    day = day_of(text)
    if day is None:
        return None
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return datetime(day.earliest.year, day.earliest.month, day.earliest.day, tzinfo=UTC)
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def tokens(identifiers: Any) -> tuple[str, ...]:
    """Give identifiers as `system|value`, each once, those without a value left out."""
    found = {
        f"{identifier.get('system', '')}|{identifier['value']}": None
        for identifier in identifiers or []
        if isinstance(identifier, dict) and identifier.get("value")
    }
    return tuple(found)


def texts(things: Sequence[Any], member: str) -> Iterator[str]:
    """Give one member of each thing that has it."""
    for thing in things:
        if isinstance(thing, dict) and isinstance(thing.get(member), str):
            yield thing[member]


def has_code(concept: Any, code: str) -> bool:
    """Tell whether a CodeableConcept has this code."""
    return isinstance(concept, dict) and code in texts(concept.get("coding", []), "code")
