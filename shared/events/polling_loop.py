"""Steps that are repeated for ever: how everything of a worker runs.

Invariants:
- The wake signal is cleared *before* the work looks for what there is: news that arrives while it looks is
  never slept over (the other order costs a whole pause).
- Work is woken by whoever makes it, in this process or by NOTIFY, and falls due at a known time. The wide net
  only catches what nobody heard of.
- No error ends a loop: it is logged by its class, and the next attempt waits longer, in machine time.
- What goes on is logged once a minute, with its page of the runbook; a database that is away, once for all
  loops.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from shared.events.counters import STEPS_FAILED
from shared.events.failures import is_of_database, where_it_failed
from shared.events.wake_signal import WakeSignal
from shared.telemetry.log_throttle import LogThrottle

# Seconds after which work is looked for that nobody was woken for.
NET = 5.0
# Seconds after which a process asks again for what another process has now.
STANDBY = 0.25
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


def until_net() -> float:
    """Return the pause of work that is always woken."""
    return NET


class PollingLoop:
    """One step repeated until it is stopped: at once while there is work, else woken or after a pause."""

    def __init__(
        self,
        name: str,
        step: Callable[[], Awaitable[bool]],
        *,
        pause: Callable[[], float] = until_net,
        wake: WakeSignal | None = None,
    ) -> None:
        self.name = name
        self.wake = wake or WakeSignal()
        self.failures = 0
        self._logged_as: str | None = None
        STEPS_FAILED.labels(name)
        self.step = step
        self._pause = pause
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
                busy = await self.step()
            except Exception as error:
                self._failed(error)
                await self._pause_after_failure()
                continue
            self._works()
            if not busy and not self._stopping:
                await self.wake.wait(at_most=self._pause())
            else:
                await asyncio.sleep(0)

    def _failed(self, error: Exception) -> None:
        self.failures += 1
        STEPS_FAILED.labels(self.name).inc()
        page = _DATABASE if is_of_database(error) else _PAGES.get(self.name, "WorkerLoopFailing")
        self._logged_as = page if page == _DATABASE else f"{page} {self.name}"
        if (kept := _throttle.allow(self._logged_as)) is not None:
            log.warning(
                "worker.step-failed",
                loop=self.name,
                error=where_it_failed(error),
                attempts=self.failures,
                count=kept + 1,
                runbook=page,
            )

    def _works(self) -> None:
        if self.failures and self._logged_as is not None and _throttle.forget(self._logged_as):
            log.info("worker.step-works-again", loop=self.name, attempts=self.failures)
        self.failures, self._logged_as = 0, None

    async def _pause_after_failure(self) -> None:
        if not self._stopping:
            await asyncio.sleep(min(0.05 * 2.0 ** min(self.failures, 10), _LONGEST_PAUSE))
