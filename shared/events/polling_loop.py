"""Waking and repeating: how everything of a worker that runs for ever does so.

Invariants:
- The wake flag is cleared *before* the work looks for what there is: news that arrives while it looks is
  never slept over (the other order costs a whole poll interval).
- No error ends a loop: it is logged by its class, and the next attempt waits longer, in machine time.
- What goes on is told once a minute, with its page of the runbook; a database that is away, once for all
  loops.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import structlog

from shared.events.counters import STEPS_FAILED
from shared.events.failures import is_of_database, where_it_failed
from shared.telemetry.log_throttle import LogThrottle

POLL = 0.25
_LONGEST_PAUSE = 5.0

_DATABASE = "DatabaseUnreachable"
_PAGES = {
    "relay": "RelayStalled",
    "consumer": "ConsumerStuck",
    "held": "HeldKeysOld",
    "timers": "TimersOverdue",
}

log = structlog.get_logger("lumbar.worker")
_throttle = LogThrottle()


class WakeSignal:
    """A flag that somebody sets when there is news, and one loop waits for."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def set(self) -> None:
        """Say that there is news."""
        self._event.set()

    def clear(self) -> None:
        """Forget earlier news; call it before looking, never after."""
        self._event.clear()

    async def wait(self, *, at_most: float = POLL) -> bool:
        """Wait for news, or for so many seconds; tell whether there is news."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(at_most):
                await self._event.wait()
        return self._event.is_set()


class PollingLoop:
    """One step repeated until it is stopped: at once while there is work, else when woken or by the poll."""

    def __init__(self, name: str, step: Callable[[], Awaitable[bool]], *, poll: float = POLL) -> None:
        self.name = name
        self.wake = WakeSignal()
        self.failures = 0
        self._told_as: str | None = None
        STEPS_FAILED.labels(name)
        self._step = step
        self._poll = poll
        self._stopping = False

    def stop(self) -> None:
        """Ask it to end after the step in hand."""
        self._stopping = True
        self.wake.set()

    async def run(self) -> None:
        """Repeat the step; returns only after `stop`."""
        while not self._stopping:
            self.wake.clear()
            try:
                busy = await self._step()
            except Exception as error:
                self._failed(error)
                await self._pause()
                continue
            self._works()
            if not busy and not self._stopping:
                await self.wake.wait(at_most=self._poll)
            else:
                await asyncio.sleep(0)

    def _failed(self, error: Exception) -> None:
        self.failures += 1
        STEPS_FAILED.labels(self.name).inc()
        page = _DATABASE if is_of_database(error) else _PAGES.get(self.name, "WorkerLoopFailing")
        self._told_as = page if page == _DATABASE else f"{page} {self.name}"
        if (kept := _throttle.allow(self._told_as)) is not None:
            log.warning(
                "worker.step-failed",
                loop=self.name,
                error=where_it_failed(error),
                attempts=self.failures,
                count=kept + 1,
                runbook=page,
            )

    def _works(self) -> None:
        if self.failures and self._told_as is not None and _throttle.forget(self._told_as):
            log.info("worker.step-works-again", loop=self.name, attempts=self.failures)
        self.failures, self._told_as = 0, None

    async def _pause(self) -> None:
        if not self._stopping:
            await asyncio.sleep(min(0.05 * 2.0 ** min(self.failures, 10), _LONGEST_PAUSE))
