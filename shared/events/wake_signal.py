"""A flag that is set when there is news, and for which one loop waits."""

import asyncio
import contextlib


class WakeSignal:
    """Set by whoever knows of news; cleared *before* the loop looks for it, so that none is slept over."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def set(self) -> None:
        """Note that there is news."""
        self._event.set()

    def clear(self) -> None:
        """Forget earlier news; call it before looking, never after."""
        self._event.clear()

    async def wait(self, *, at_most: float) -> bool:
        """Wait for news, or for so many seconds; return whether there is news."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(at_most):
                await self._event.wait()
        return self._event.is_set()
