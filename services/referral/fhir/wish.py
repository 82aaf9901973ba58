"""When the sender wishes the patient to be seen: `occurrence[x]` of the ServiceRequest, as local days.

A dateTime is that day; of a Period and of a Timing's bounds the days between them; of a Timing's events those
from the first to the last. It is a wish: the clinic books nothing before it, and says where it comes later.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import msgspec

from services.referral.fhir.reading import day_of
from services.referral.models.facts import Day


class _Wish(msgspec.Struct):
    occurrenceDateTime: Any = None
    occurrencePeriod: Mapping[str, Any] = {}
    occurrenceTiming: Mapping[str, Any] = {}


# Asked of every booking, and hardly any request has a wish: nothing else of one is made into objects.
_STORED = msgspec.json.Decoder(_Wish)


def not_before(request: Mapping[str, Any]) -> date | None:
    """Return the first day that is wished for, None where there is none."""
    wish = msgspec.convert(request, _Wish)
    return min((day.earliest for day in _days(wish, bound="start")), default=None)


def not_after(body: bytes) -> date | None:
    """Return the last day that a stored request wishes for, None where there is none."""
    return max((day.latest for day in _days(_STORED.decode(body), bound="end")), default=None)


def _days(wish: _Wish, *, bound: str) -> Iterator[Day]:
    timing = wish.occurrenceTiming
    periods = (wish.occurrencePeriod, timing.get("repeat", {}).get("boundsPeriod", {}))
    stated = [wish.occurrenceDateTime, *(period.get(bound) for period in periods)]
    for text in (*stated, *timing.get("event", [])):
        if (day := day_of(text)) is not None:
            yield day
