"""Wait until everything that was set in motion has come to rest; the demo and the tests walk time with it.

Invariant: at rest means that all workers had nothing left in two readings in a row between which no position
and no log end moved. A single reading can miss an event on its way from one service to the next.
"""

import asyncio
from collections.abc import Sequence

from shared.clock import monotonic
from shared.events.backlog import Backlog
from shared.events.transport import Extent
from shared.events.worker import Figures, Worker

_PAUSE = 0.01


class NotSettled(Exception):
    """Something was still on its way when the time was up; the text lists what."""


async def settle(workers: Sequence[Worker], *, timeout: float = 30.0) -> None:  # noqa: ASYNC109
    """Return when nothing is on its way; raises NotSettled with a line for everything that is."""
    deadline = monotonic() + timeout
    before: list[Figures] | None = None
    asked = list(workers)
    while True:
        found = await _all_settled(asked)
        if found is not None and before is not None and _unmoved(before, found):
            return
        before = found
        if monotonic() > deadline:
            raise NotSettled(_unsettled(workers, await read_all(workers), after=timeout))
        await asyncio.sleep(_PAUSE if found is None else 0)


async def read_all(workers: Sequence[Worker]) -> list[Figures]:
    """Read the figures of all workers, each database once."""
    return await _figures(workers, [await worker.glance() for worker in workers])


async def _all_settled(workers: list[Worker]) -> list[Figures] | None:
    """Read the workers up to the first that is not settled, which is then asked first the next time."""
    glances = []
    for worker in workers:
        glances.append(await worker.glance())
        if glances[-1].busy:
            _ask_first(worker, workers)
            return None
    found = await _figures(workers, glances)
    for worker, figures in zip(list(workers), found, strict=True):
        if not figures.settled:
            _ask_first(worker, workers)
            return None
    return found


async def _figures(workers: Sequence[Worker], glances: Sequence[Backlog]) -> list[Figures]:
    """Read all figures at once: questions to the brokers then travel together."""
    extents = _extents(glances)
    return await asyncio.gather(
        *(
            worker.figures(glance=glance, extents=extents)
            for worker, glance in zip(workers, glances, strict=True)
        )
    )


def _extents(glances: Sequence[Backlog]) -> dict[str, Extent]:
    return {topic: extent for glance in glances for topic, extent in glance.extents.items()}


def _ask_first(worker: Worker, workers: list[Worker]) -> None:
    workers.remove(worker)
    workers.insert(0, worker)


def _unmoved(before: Sequence[Figures], after: Sequence[Figures]) -> bool:
    return all(
        earlier.positions == later.positions and earlier.ends == later.ends
        for earlier, later in zip(before, after, strict=True)
    )


def _unsettled(workers: Sequence[Worker], found: Sequence[Figures], *, after: float) -> str:
    lines = [f"not settled after {after:g} s:"]
    for worker, figures in zip(workers, found, strict=True):
        left = {
            "outbox": figures.outbox,
            **{f"lag of {topic}": lag for topic, lag in figures.lag.items()},
            "held keys": figures.held_retrying,
            "timers due": figures.timers_due,
            "loops": figures.loops_pending,
        }
        lines += [f"  {worker.service}: {name} {count}" for name, count in left.items() if count]
    return "\n".join(lines if len(lines) > 1 else [*lines, "  positions or log ends keep moving"])
