"""Moments as FHIR writes them."""

from datetime import UTC, date, datetime
from functools import lru_cache

_EARLIEST, _LATEST = date(1900, 1, 1), date(9000, 1, 1)


def is_on_a_calendar(day: date) -> bool:
    """Tell whether days can be counted around a day; beside the years 1 and 9999 there are none."""
    return _EARLIEST <= day < _LATEST


def read_instant(text: object) -> datetime | None:
    """Read a moment with its zone; None for what is none, and for one that lies on no calendar."""
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment if moment.tzinfo is not None and is_on_a_calendar(moment.date()) else None


def to_the_second(moment: datetime) -> str:
    """Write a moment as a FHIR instant in UTC, as times of care are told."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


@lru_cache(maxsize=256)
def instant(moment: datetime) -> str:
    """Write a moment as a FHIR instant in UTC, to the millisecond; one command writes the same one often."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
