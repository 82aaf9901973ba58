"""What this process uses of its machine, and how late its event loop is.

Invariants:
- Names are OpenTelemetry's (`process.*`, `cpython.*`); only the loop's lateness is ours.
- Reading costs a few system calls and is done only when somebody collects; the loop is looked at twice a
  second.
"""

import asyncio
import gc
import os
import resource
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from shared.clock import monotonic
from shared.telemetry.tally import Count, Level, Timing

_EVERY = 0.5
_PAGE = os.sysconf("SC_PAGE_SIZE")
_STATM = Path("/proc/self/statm")
_FILES = Path("/proc/self/fd")
_STARTED = monotonic()

_CPU = Count("process.cpu.time", unit="s", description="CPU time used", labels=("cpu.mode",))
_MEMORY = Level("process.memory.usage", unit="By", description="Memory that this process has", labels=())
_THREADS = Level("process.thread.count", unit="{thread}", description="Threads", labels=())
_OPEN = Level(
    "process.unix.file_descriptor.count", unit="{file_descriptor}", description="Open files", labels=()
)
_UPTIME = Level("process.uptime", unit="s", description="Time since this process started", labels=())
_COLLECTIONS = Count(
    "cpython.gc.collections",
    unit="{collection}",
    description="Garbage collections",
    labels=("cpython.gc.generation",),
)
_LAG = Timing(
    "lumbar.event_loop.lag", description="How much later than asked for the event loop woke", labels=()
)
_counted: dict[tuple[str, str], float] = {}


def read() -> None:
    """Read everything now."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    for mode, seconds in (("user", used.ru_utime), ("system", used.ru_stime)):
        _count_up(_CPU, seconds, mode)
    for generation, found in enumerate(gc.get_stats()):
        _count_up(_COLLECTIONS, found["collections"], str(generation))
    _MEMORY.set(_memory(used.ru_maxrss))
    _THREADS.set(threading.active_count())
    _UPTIME.set(monotonic() - _STARTED)
    with suppress(OSError):
        _OPEN.set(len(os.listdir(_FILES)))


@asynccontextmanager
async def watching_the_loop() -> AsyncIterator[None]:
    """Measure for the duration of the block how late this event loop is."""
    watching = asyncio.create_task(_watch(), name="event loop lag")
    try:
        yield
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def _watch() -> None:
    while True:
        asked = monotonic()
        await asyncio.sleep(_EVERY)
        _LAG.record(max(0.0, monotonic() - asked - _EVERY))


def _count_up(count: Count, total: float, label: str) -> None:
    before = _counted.get((count.name, label), 0.0)
    _counted[count.name, label] = total
    count.add(total - before, label)


def _memory(most: int) -> int:
    """Tell the resident bytes; where the system does not say, the most that it ever was."""
    with suppress(OSError, ValueError, IndexError):
        return int(_STATM.read_text().split()[1]) * _PAGE
    return most * (1 if sys.platform == "darwin" else 1024)
