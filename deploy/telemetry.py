"""What a process tells while it runs: its event loop is watched, and OTLP sent where a collector is named.

`/metrics` needs none of this: it reads everything when it is asked.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

from shared.db import Database
from shared.db.watched import Watched
from shared.events.worker import Worker
from shared.telemetry import metrics
from shared.telemetry.process import watching_the_loop

_EVERY = 10.0


@asynccontextmanager
async def observed(
    endpoint: str | None,
    *,
    service: str,
    role: str = "all",
    databases: Iterable[Database] = (),
    workers: Mapping[str, Worker] | None = None,
    every: float = _EVERY,
) -> AsyncIterator[None]:
    """Watch this process for the duration of the block, and push what it tells to `endpoint`, if any.

    `service` and `role` (`api`, `worker`) say what it is, `every` how often in seconds the figures are sent.
    """
    async with AsyncExitStack() as ends:
        await ends.enter_async_context(watching_the_loop())
        if endpoint is not None:
            from shared.telemetry import otlp

            watched = [Watched(database) for database in databases]
            await metrics.read(workers or {}, watched)
            export = otlp.Export(endpoint, otlp.Sender.of(service, role=role), every=every)
            ends.push_async_callback(asyncio.to_thread, export.stop)
            reading = asyncio.create_task(_read(workers or {}, watched, every=every), name="figures")
            ends.callback(reading.cancel)
        yield


async def _read(workers: Mapping[str, Worker], databases: Iterable[Watched], *, every: float) -> None:
    """Read what stands in databases as often as it is sent, because nobody asks for it."""
    while True:
        await asyncio.sleep(every)
        await metrics.read(workers, databases)
