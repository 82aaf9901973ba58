"""Wait for something to become true, instead of sleeping."""

import asyncio
import inspect
import time
from collections.abc import Callable
from typing import Any


async def eventually(check: Callable[[], Any], *, within: float = 5.0, every: float = 0.02) -> Any:
    """Call `check` (sync or async) until it gives something true, and give that.

    An AssertionError of the check counts as "not yet"; the last one is raised when the time is up.
    """
    deadline = time.monotonic() + within
    while True:
        failure: AssertionError | None = None
        found: Any = None
        try:
            found = check()
            if inspect.isawaitable(found):
                found = await found
        except AssertionError as error:
            failure = error
        if failure is None and found:
            return found
        if time.monotonic() > deadline:
            raise failure or AssertionError(f"not within {within:g} s: the last answer was {found!r}")
        await asyncio.sleep(every)
