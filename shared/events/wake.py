"""Waking and repeating: how everything of a worker that runs for ever does so.

Invariants:
- The wake flag is cleared *before* the work looks for what there is: news that arrives while it looks is
  never slept over (the other order costs a whole poll interval).
- No error ends a loop: it is logged by its class, and the next attempt waits longer, in machine time.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import structlog

from shared.events.failures import where_it_failed

POLL = 0.25
_LONGEST_PAUSE = 5.0

log = structlog.get_logger("lumbar.worker")


class Wake:
    """A flag that somebody sets when there is news, and one loop waits for."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def set(self) -> None:
        """Say that there is news."""
        self._event.set()

    def clear(self) -> None:
        """Forget earlier news; call it before looking, never after."""
        self._event.clear()

    async def wait(self, *, at_most: float = POLL) -> None:
        """Wait for news, or for so many seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(at_most):
                await self._event.wait()


class Repetition:
    """One step repeated until it is stopped: at once while there is work, else when woken or by the poll."""

    def __init__(self, name: str, step: Callable[[], Awaitable[bool]], *, poll: float = POLL) -> None:
        self.name = name
        self.wake = Wake()
        self.failures = 0
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
                self.failures += 1
                log.warning("worker.step-failed", loop=self.name, error=where_it_failed(error))
                await self._pause()
                continue
            self.failures = 0
            if not busy and not self._stopping:
                await self.wake.wait(at_most=self._poll)
            else:
                await asyncio.sleep(0)

    async def _pause(self) -> None:
        if not self._stopping:
            await asyncio.sleep(min(0.05 * 2.0 ** min(self.failures, 10), _LONGEST_PAUSE))
