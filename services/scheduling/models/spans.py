"""Half-open spans of time, aware and in UTC: what `occupancy` holds and the rules work on."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple


class Span(NamedTuple):
    """The moments from `start` up to, but not at, `end`."""

    start: datetime
    end: datetime

    def meets(self, other: "Span") -> bool:
        """Tell whether the two share a moment."""
        return self.start < other.end and other.start < self.end


Taken = Mapping[str, Sequence[Span]]
"""What is taken, by the text id of the resource: `person/...`, `room/...`, `patient/...`."""
NOTHING_TAKEN: Taken = MappingProxyType({})
