"""Moments as FHIR writes them."""

from datetime import UTC, datetime
from functools import lru_cache


def to_the_second(moment: datetime) -> str:
    """Write a moment as a FHIR instant in UTC, as times of care are told."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


@lru_cache(maxsize=256)
def instant(moment: datetime) -> str:
    """Write a moment as a FHIR instant in UTC, to the millisecond; one command writes the same one often."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
