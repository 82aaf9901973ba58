"""How long (machine time) one event or timer may keep its loop: what hangs is given up, the others go on."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

AT_MOST = timedelta(seconds=30)


class TookTooLong(Exception):
    """The time was up before the work was done; that is a failure of the work, not of the machine."""


@asynccontextmanager
async def at_most(limit: timedelta) -> AsyncIterator[None]:
    """Raise TookTooLong where the block takes longer; a TimeoutError of the block's own stays what it is."""
    try:
        async with asyncio.timeout(limit.total_seconds()) as clock:
            yield
    except TimeoutError:
        if not clock.expired():
            raise
        raise TookTooLong(f"more than {limit.total_seconds():g} s") from None
