"""The only calls to the system clock.

There are two kinds of time, and no third:
- *Care time* comes from a `Clock` and can be simulated: business columns, meta.lastUpdated, event times,
  timers, the guarantee, the hour at which a notification is tried again.
- *Machine time* is always real: token lifetimes, idempotency keys, backoff, leases, keep-alives, spans,
  latency.

Both are aware and in UTC.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Where care time comes from."""

    def now(self) -> datetime:
        """Tell the care time, aware, in UTC."""
        ...

    def on_change(self, callback: Callable[[], None]) -> None:
        """Call back whenever the time was moved by hand; the system clock never does."""
        ...


class SystemClock:
    """Care time that is the machine's time."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def on_change(self, callback: Callable[[], None]) -> None:
        """The system clock moves by itself: nothing to call."""


class SimulatedClock:
    """Care time that moves only when it is told to, and never backwards."""

    def __init__(self, start: datetime) -> None:
        self._now = _in_utc(start)
        self._callbacks: list[Callable[[], None]] = []

    def now(self) -> datetime:
        return self._now

    def on_change(self, callback: Callable[[], None]) -> None:
        self._callbacks.append(callback)

    def set(self, moment: datetime) -> None:
        """Move to a later moment; raises ValueError for an earlier or a naive one."""
        moment = _in_utc(moment)
        if moment < self._now:
            raise ValueError(f"care time cannot run backwards: {moment:%Y-%m-%dT%H:%M:%SZ}")
        self._now = moment
        for callback in self._callbacks:
            callback()


def machine_now() -> datetime:
    """Tell the machine's time, aware, in UTC."""
    return datetime.now(UTC)


def monotonic() -> float:
    """Tell a machine time in seconds that never jumps, for latencies and deadlines."""
    return time.monotonic()


def _in_utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a time without a zone is not a time")
    return moment.astimezone(UTC)
