"""One line a minute for what goes on and on: a database that is away must not fill the disk."""

from shared.clock import monotonic


class LogThrottle:
    """Decides for each key when it may be logged again, and counts what was kept back meanwhile."""

    def __init__(self, *, every: float = 60.0) -> None:
        self._every = every
        self._next: dict[str, float] = {}
        self._kept: dict[str, int] = {}

    def allow(self, key: str) -> int | None:
        """Return how often this was kept back if it may be logged now, None if it may not."""
        now = monotonic()
        if now < self._next.get(key, now):
            self._kept[key] = self._kept.get(key, 0) + 1
            return None
        self._next[key] = now + self._every
        return self._kept.pop(key, 0)

    def forget(self, key: str) -> bool:
        """Allow the next line at once, because what was wrong is over; return whether one had been logged."""
        self._kept.pop(key, None)
        return self._next.pop(key, None) is not None
