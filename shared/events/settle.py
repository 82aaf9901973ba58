"""Wait until everything that was set in motion has come to rest; the demo and the tests walk time with it.

Invariant: at rest means that all workers had nothing left in two readings in a row between which no position
and no log end moved. A single reading can miss an event on its way from one service to the next.
"""

import asyncio
from collections.abc import Sequence

from shared.clock import monotonic
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
            raise NotSettled(
                _unsettled(workers, [await worker.figures() for worker in workers], after=timeout)
            )
        await asyncio.sleep(_PAUSE if found is None else 0)


async def _all_settled(workers: list[Worker]) -> list[Figures] | None:
    """Read the workers up to the first that is not settled, which is then asked first the next time."""
    found = []
    for place, worker in enumerate(workers):
        figures = await worker.figures()
        if not figures.settled:
            workers.insert(0, workers.pop(place))
            return None
        found.append(figures)
    return found


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
