"""What a process does for whoever watches it: its event loop is timed, its spans go to a collector, if any.

`/metrics` needs none of this: it reads everything when it is asked.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from shared.telemetry.process import watching_the_loop

_EVERY = 5.0


@asynccontextmanager
async def observed(
    endpoint: str | None, *, service: str, role: str = "all", every: float = _EVERY
) -> AsyncIterator[None]:
    """Watch this process for the duration of the block, and push its spans to `endpoint`, if any.

    `service` and `role` (`api`, `worker`) say what it is, `every` how often in seconds spans are sent.
    """
    async with AsyncExitStack() as ends:
        await ends.enter_async_context(watching_the_loop())
        if endpoint is not None:
            from shared.telemetry import otlp

            export = otlp.Export(endpoint, otlp.Sender.of(service, role=role), every=every)
            ends.push_async_callback(asyncio.to_thread, export.stop)
        yield
