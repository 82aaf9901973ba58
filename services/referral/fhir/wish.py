"""When the sender wishes the patient to be seen: `occurrence[x]` of the ServiceRequest, as local days.

A dateTime is that day; of a Period and of a Timing's bounds the days between them; of a Timing's events those
from the first to the last. It is a wish: the clinic books nothing before it, and says where it comes later.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from services.referral.fhir.reading import day_of
from services.referral.models.facts import Day


def not_before(request: Mapping[str, Any]) -> date | None:
    """Return the first day that is wished for, None where there is none."""
    return min((day.earliest for day in _days(request, bound="start")), default=None)


def not_after(request: Mapping[str, Any]) -> date | None:
    """Return the last day that is wished for, None where there is none."""
    return max((day.latest for day in _days(request, bound="end")), default=None)


def _days(request: Mapping[str, Any], *, bound: str) -> Iterator[Day]:
    timing = request.get("occurrenceTiming", {})
    periods = (request.get("occurrencePeriod", {}), timing.get("repeat", {}).get("boundsPeriod", {}))
    stated = [request.get("occurrenceDateTime"), *(period.get(bound) for period in periods)]
    for text in (*stated, *timing.get("event", [])):
        if (day := day_of(text)) is not None:
            yield day
