"""One line a minute for what goes on and on: a database that is away must not fill the disk with lines."""

from shared.clock import monotonic


class Seldom:
    """Says for each key when it may be told again, and how often it was kept back since it was last told."""

    def __init__(self, *, every: float = 60.0) -> None:
        self._every = every
        self._next: dict[str, float] = {}
        self._kept: dict[str, int] = {}

    def lets(self, key: str) -> int | None:
        """Give how often this was kept back if it may be told now, None if it may not."""
        now = monotonic()
        if now < self._next.get(key, now):
            self._kept[key] = self._kept.get(key, 0) + 1
            return None
        self._next[key] = now + self._every
        return self._kept.pop(key, 0)

    def forget(self, key: str) -> bool:
        """Let the next one be told at once, for what was wrong is over; tell whether it had been told."""
        self._kept.pop(key, None)
        return self._next.pop(key, None) is not None
