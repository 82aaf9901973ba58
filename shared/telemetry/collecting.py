"""Reading every tally of this process: for Prometheus when it asks, for OTLP every few seconds.

Invariants:
- There is one meter provider in a process, and it is this; whoever names OpenTelemetry's API alone gets it.
- A name is OpenTelemetry's (`http.server.request.duration`) or ours (`lumbar.`); Prometheus shows it with
  `_` for `.`, its unit, and `_total` for a count.
"""

import dataclasses
from typing import Any

from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.metrics import set_meter_provider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader, MetricsData
from prometheus_client import CollectorRegistry, generate_latest

from shared.telemetry import tally


class _Reader(PrometheusMetricReader):
    """Prometheus' reader, with the histograms that the SDK does not know."""

    def _receive_metrics(
        self, metrics_data: MetricsData, timeout_millis: float = 10_000, **more: Any
    ) -> None:
        super()._receive_metrics(with_timings(metrics_data), timeout_millis, **more)


_registry = CollectorRegistry()
_provider = MeterProvider(
    metric_readers=[_Reader(registry=_registry, disable_target_info=True, scope_info_enabled=False)],
    shutdown_on_exit=False,
)
_meter = _provider.get_meter("lumbar")
_known: set[str] = set()
set_meter_provider(_provider)


def exposition() -> bytes:
    """Write every series of this process in Prometheus' text format."""
    register()
    return generate_latest(_registry)


def register() -> None:
    """Let the SDK know every count and level that was declared since the last time."""
    for count in tally.COUNTS:
        if count.name not in _known:
            _meter.create_observable_counter(
                count.name, [count.observe], unit=count.unit, description=count.description
            )
    for level in tally.LEVELS:
        if level.name not in _known:
            _meter.create_observable_gauge(
                level.name, [level.observe], unit=level.unit, description=level.description
            )
    _known.update(one.name for one in (*tally.COUNTS, *tally.LEVELS))


def add_reader(reader: MetricReader) -> None:
    """Let another reader collect too."""
    register()
    _provider.add_metric_reader(reader)


def remove_reader(reader: MetricReader) -> None:
    """Undo `add_reader`; the reader collects once more and ends."""
    _provider.remove_metric_reader(reader)


def with_timings(found: MetricsData) -> MetricsData:
    """Add the histograms to what the SDK has collected."""
    resource = found.resource_metrics[0]
    scope = resource.scope_metrics[0]
    scope = dataclasses.replace(scope, metrics=[*scope.metrics, *tally.timings()])
    resource = dataclasses.replace(resource, scope_metrics=[scope, *resource.scope_metrics[1:]])
    return MetricsData(resource_metrics=[resource, *found.resource_metrics[1:]])
