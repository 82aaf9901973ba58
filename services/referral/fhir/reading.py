"""Small readings of FHIR values: dates of any precision, identifiers as `system|value`, periods."""

import calendar
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time
from typing import Any

from services.referral.models.facts import Day
from shared.fhir.instants import read_instant

# Beside the years 1 and 9999 no days can be counted; who writes 31 December 9999 means "without an end".
_FIRST_DAY, _LAST_DAY = date(2, 1, 1), date(9998, 12, 31)
_DATE = re.compile(r"^(\d{4})(?:-(\d{2}))?(?:-(\d{2}))?(?:T|$)")


def day_of(text: Any) -> Day | None:
    """Read a date or dateTime as the days it may mean, None where it is none."""
    matched = _DATE.match(text) if isinstance(text, str) else None
    if matched is None:
        return None
    year, month, day = (int(part or 0) for part in matched.groups())
    try:
        last_month = month or 12
        last_day = day or calendar.monthrange(year, last_month)[1]
        earliest, latest = date(year, month or 1, day or 1), date(year, last_month, last_day)
    except (ValueError, calendar.IllegalMonthError):
        return None
    return Day(*(min(max(bound, _FIRST_DAY), _LAST_DAY) for bound in (earliest, latest)))


def moment_of(text: Any) -> datetime | None:
    """Read a dateTime as an instant (a date as its first moment in UTC), None where it is none."""
    day = day_of(text)
    if day is None:
        return None
    moment = read_instant(text)
    return moment.astimezone(UTC) if moment else datetime.combine(day.earliest, time(), tzinfo=UTC)


def tokens(identifiers: Any) -> tuple[str, ...]:
    """Give identifiers as `system|value`, each once; no value or `use` old: left out."""
    found = {
        f"{identifier.get('system', '')}|{identifier['value']}": None
        for identifier in identifiers or []
        if isinstance(identifier, dict) and identifier.get("value") and identifier.get("use") != "old"
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
