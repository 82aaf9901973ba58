"""Figures for Prometheus: requests by route template, and what the workers have left to do.

Invariants:
- A label is a service, a method, a route template, a status or a topic: never an id, never a text.
- Every series of a process is read in one place, `exposition()`.
"""

from collections.abc import Mapping
from typing import Protocol

import asyncpg
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.metrics import set_meter_provider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.view import ExplicitBucketHistogramAggregation, View
from prometheus_client import CollectorRegistry, generate_latest
from sqlalchemy.exc import SQLAlchemyError

_SECONDS = (0.002, 0.005, 0.01, 0.015, 0.025, 0.04, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10)


class Figures(Protocol):
    """What a worker has left to do (shared.events.worker.Figures)."""

    @property
    def outbox(self) -> int: ...
    @property
    def lag(self) -> Mapping[str, int]: ...
    @property
    def held_retrying(self) -> int: ...
    @property
    def held_dead(self) -> int: ...
    @property
    def timers_due(self) -> int: ...


class HasFigures(Protocol):
    """A worker that tells what it has left to do."""

    async def figures(self) -> Figures: ...


_registry = CollectorRegistry()
_provider = MeterProvider(
    metric_readers=[
        PrometheusMetricReader(registry=_registry, disable_target_info=True, scope_info_enabled=False)
    ],
    views=[
        View(instrument_name="lumbar.*.duration", aggregation=ExplicitBucketHistogramAggregation(_SECONDS))
    ],
    shutdown_on_exit=False,
)
_meter = _provider.get_meter("lumbar")
# For whoever names OpenTelemetry's API alone: there is one provider in a process, and it is this.
set_meter_provider(_provider)
_requests = _meter.create_histogram("lumbar.request.duration", unit="s", description="Time to the answer")
_outbox = _meter.create_gauge("lumbar.outbox.rows", description="Events not yet handed to the transport")
_lag = _meter.create_gauge("lumbar.consumer.lag", description="Records of a topic not yet handled")
_held = _meter.create_gauge("lumbar.held.keys", description="Patients whose events are held")
_readable = _meter.create_gauge("lumbar.worker.readable", description="0 where a worker's figures are old")
_timers = _meter.create_gauge("lumbar.timers.due", description="Timers that are due and not fired")


def request_answered(*, service: str, method: str, route: str, status: int, seconds: float) -> None:
    """Count one answered request; `route` is the template."""
    _requests.record(seconds, {"service": service, "method": method, "route": route, "status": str(status)})


def worker_read(*, service: str, figures: Figures) -> None:
    """Take over what a worker has left to do."""
    _outbox.set(figures.outbox, {"service": service})
    _held.set(figures.held_retrying, {"service": service, "state": "retrying"})
    _held.set(figures.held_dead, {"service": service, "state": "dead"})
    _timers.set(figures.timers_due, {"service": service})
    for topic, records in figures.lag.items():
        _lag.set(records, {"service": service, "topic": topic})


async def exposition(workers: Mapping[str, HasFigures]) -> bytes:
    """Read the workers (by service name) and write every series in Prometheus' text format.

    Where a worker's database does not answer, its last figures stay and `lumbar_worker_readable` is 0.
    """
    for service, worker in workers.items():
        try:
            worker_read(service=service, figures=await worker.figures())
            _readable.set(1, {"service": service})
        except (OSError, TimeoutError, SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError):
            _readable.set(0, {"service": service})
    return generate_latest(_registry)
