"""How long (machine time) one event or timer may keep its loop: what hangs is given up, the others go on."""

import asyncio
from datetime import timedelta
from types import TracebackType

AT_MOST = timedelta(seconds=30)


class TookTooLong(Exception):
    """The time was up before the work was done; that is a failure of the work, not of the machine."""


class at_most:
    """Raise TookTooLong where the block takes longer; a TimeoutError of the block's own stays what it is."""

    __slots__ = ("_clock", "_seconds")

    def __init__(self, limit: timedelta) -> None:
        self._seconds = limit.total_seconds()
        self._clock = asyncio.timeout(self._seconds)

    async def __aenter__(self) -> None:
        await self._clock.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._clock.__aexit__(kind, error, trace)
        except TimeoutError:
            raise TookTooLong(f"more than {self._seconds:g} s") from None
