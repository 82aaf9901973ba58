"""Requests without a valid token: all are counted, and few leave a row, so that nobody fills the disk.

Invariants:
- An origin leaves at most one row a minute; the row says how many requests it stands for.
- At most so many origins are remembered; the requests of all others are told together, by one row a minute.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from prometheus_client import Counter

from shared.clock import monotonic
from shared.telemetry.registry import REGISTRY

EVERY = 60.0
MAX_ORIGINS = 100
OTHERS = "others"

_REQUESTS = Counter(
    "lumbar_unauthenticated_requests",
    "Requests without a valid token",
    ["service"],
    registry=REGISTRY,
)


@dataclass(slots=True)
class _Origin:
    next_row: float
    untold: int = 0


class AnonymousCalls:
    """Counts the requests of one service, and says for which origins a row is due."""

    def __init__(self, service: str) -> None:
        self._requests = _REQUESTS.labels(service)
        self._origins: dict[str, _Origin] = {}

    def note(self, address: str) -> dict[str, int]:
        """Note a request; return the origins whose row is due with the number of requests that it tells.

        What waits to be told of others is due with the next request of anybody.
        """
        self._requests.inc()
        now = monotonic()
        due = dict(self._due(now))
        origin = self._origins.setdefault(self._name(address), _Origin(next_row=now))
        origin.untold += 1
        return due | dict(self._due(now))

    def _name(self, address: str) -> str:
        return address if address in self._origins or len(self._origins) < MAX_ORIGINS else OTHERS

    def _due(self, now: float) -> Iterator[tuple[str, int]]:
        for name, origin in list(self._origins.items()):
            if origin.next_row > now:
                continue
            if origin.untold:
                yield name, origin.untold
                origin.next_row, origin.untold = now + EVERY, 0
            else:
                del self._origins[name]
