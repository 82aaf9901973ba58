"""The process itself: CPU, memory, open files, threads, garbage collections, lateness of its event loop."""

import asyncio
import gc
import os
import resource
import sys
import threading
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from prometheus_client import Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from shared.clock import monotonic
from shared.telemetry.registry import REGISTRY, SECONDS

_EVERY = 0.5
_PAGE = os.sysconf("SC_PAGE_SIZE")
_STATM = Path("/proc/self/statm")
_FILES = Path("/proc/self/fd")
_STARTED = monotonic()

_LAG = Histogram(
    "lumbar_event_loop_lag_seconds",
    "How much later than asked for the event loop woke",
    buckets=SECONDS,
    registry=REGISTRY,
)


class ProcessFigures(Collector):
    """Reads the process when somebody asks for its figures, under the names that OpenTelemetry gives them."""

    def collect(self) -> Iterable[Metric]:
        """Read everything now."""
        used = resource.getrusage(resource.RUSAGE_SELF)
        cpu = CounterMetricFamily("process_cpu_time_seconds", "CPU time used", labels=["cpu_mode"])
        cpu.add_metric(["user"], used.ru_utime)
        cpu.add_metric(["system"], used.ru_stime)
        yield cpu
        collections = CounterMetricFamily(
            "cpython_gc_collections", "Garbage collections", labels=["cpython_gc_generation"]
        )
        for generation, found in enumerate(gc.get_stats()):
            collections.add_metric([str(generation)], found["collections"])
        yield collections
        yield _gauge("process_memory_usage_bytes", "Memory that this process has", _memory(used.ru_maxrss))
        yield _gauge("process_thread_count", "Threads", threading.active_count())
        yield _gauge("process_uptime_seconds", "Time since this process started", monotonic() - _STARTED)
        with suppress(OSError):
            yield _gauge("process_unix_file_descriptor_count", "Open files", len(os.listdir(_FILES)))


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
        _LAG.observe(max(0.0, monotonic() - asked - _EVERY))


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=value)


def _memory(most: int) -> int:
    """Tell the resident bytes; where the system does not say, the most that it ever was."""
    with suppress(OSError, ValueError, IndexError):
        return int(_STATM.read_text().split()[1]) * _PAGE
    return most * (1 if sys.platform == "darwin" else 1024)
