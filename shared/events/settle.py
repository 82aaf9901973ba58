"""Wait until everything that was set in motion has come to rest; the demo and the tests walk time with it.

Invariant: at rest means that all workers had nothing left in two readings in a row between which no position
and no log end moved. A single reading can miss an event on its way from one service to the next.

A reading is dear: while a service's own tables say that it has work, only these are asked.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime

from shared.clock import monotonic
from shared.events.worker import Worker
from shared.events.worker_status import WorkerStatus

_PAUSE = 0.01


class NotSettled(Exception):
    """Something was still on its way when the time was up; the text lists what."""


async def settle(workers: Sequence[Worker], *, timeout: float = 30.0) -> datetime | None:  # noqa: ASYNC109
    """Return when nothing is on its way, with when something is due next.

    Raises NotSettled with a line for everything that is on its way.
    """
    deadline = monotonic() + timeout
    before: list[WorkerStatus] | None = None
    while True:
        if monotonic() <= deadline and await _any_has_work(workers):
            before = None
            await asyncio.sleep(_PAUSE)
            continue
        found = await read_all(workers)
        at_rest = all(status.settled for status in found)
        if at_rest and before is not None and _unmoved(before, found):
            return min((status.next_timer for status in found if status.next_timer), default=None)
        before = found if at_rest else None
        if monotonic() > deadline:
            raise NotSettled(_unsettled(workers, found, after=timeout))
        await asyncio.sleep(0 if at_rest else _PAUSE)


async def _any_has_work(workers: Sequence[Worker]) -> bool:
    for worker in workers:
        if await worker.has_work():
            return True
    return False


async def read_all(workers: Sequence[Worker]) -> list[WorkerStatus]:
    """Read the status of all workers at once: questions to the brokers then travel together."""
    return await asyncio.gather(*(worker.read_status() for worker in workers))


def _unmoved(before: Sequence[WorkerStatus], after: Sequence[WorkerStatus]) -> bool:
    return all(
        earlier.positions == later.positions and earlier.ends == later.ends
        for earlier, later in zip(before, after, strict=True)
    )


def _unsettled(workers: Sequence[Worker], found: Sequence[WorkerStatus], *, after: float) -> str:
    lines = [f"not settled after {after:g} s:"]
    for worker, status in zip(workers, found, strict=True):
        left: dict[str, int | str] = {
            "outbox": status.outbox,
            **{f"lag of {topic}": lag for topic, lag in (status.lag or {}).items()},
            "held keys": status.held_retrying,
            "timers due": status.timers_due,
            "loops": status.loops_pending,
            "transport": "does not answer" if status.lag is None else 0,
        }
        lines += [f"  {worker.service}: {name} {count}" for name, count in left.items() if count]
    return "\n".join(lines if len(lines) > 1 else [*lines, "  positions or log ends keep moving"])
