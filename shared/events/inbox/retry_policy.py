"""How long a held event waits before it is tried again, in machine time, and when a person is told.

Invariants:
- An event that came too early (`NotYet`) is tried again quickly and alerts nobody for ten minutes; after
  that it counts as failing.
- A failing event has a fixed number of attempts; after the last its key is dead until a person replays it.
"""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """The pauses between attempts in seconds; as many pauses as there are attempts after the first."""

    pauses: tuple[float, ...] = (0.2, 1, 5, 30, 120, 300, 600)
    first_wait: float = 0.025
    longest_wait: float = 2.0
    early: timedelta = timedelta(minutes=10)

    def failure_delay(self, attempts: int) -> timedelta | None:
        """Return how long to wait after so many failed attempts, None when there is no further one."""
        if attempts > len(self.pauses):
            return None
        return timedelta(seconds=self.pauses[attempts - 1])

    def early_delay(self, waits: int) -> timedelta:
        """Return how long an event waits that came too early so many times."""
        return timedelta(seconds=min(self.first_wait * 2.0 ** min(waits, 16), self.longest_wait))
