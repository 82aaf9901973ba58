"""Traces and figures pushed to an OpenTelemetry collector: OTLP over HTTP, protobuf, by threads of their own.

Invariants:
- Nobody waits for it: a finished span goes into a queue that drops when it is full, and the figures are read
  where they stand. A collector that is slow, wrong or away costs spans, never a request.
- A failure is counted (`lumbar_telemetry_exports_total`) and logged once a minute; the library's own lines,
  which quote addresses and answers, are not written.
- What is sent holds what spans and figures hold: templates, types, ids and times.
"""

import dataclasses
import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import structlog
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics.export import (
    MetricExporter,
    MetricExportResult,
    MetricsData,
    PeriodicExportingMetricReader,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from shared.ids import new_text_id
from shared.telemetry import collecting, metrics, tracing
from shared.telemetry.log_throttle import LogThrottle

EVERY = 10.0
TRACES, METRICS = "traces", "metrics"
_TIMEOUT = 5.0
_LAST_EXPORT = 2.0

log = structlog.get_logger("lumbar.telemetry")
_throttle = LogThrottle()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Who sends: what process it is, and which one of several."""

    service: str
    instance: str

    @classmethod
    def of(cls, service: str, *, role: str) -> "Sender":
        """Name this process, which nothing else is called, not even itself after a restart."""
        return cls(service=service, instance=f"{role}-{new_text_id()}")

    @property
    def resource(self) -> Resource:
        """The sender as OpenTelemetry names it."""
        return Resource(
            {
                "service.name": f"lumbar-{self.service}",
                "service.instance.id": self.instance,
                "service.version": version("lumbar"),
            }
        )


class Export:
    """A running export to the collector at `endpoint` (its base address); `stop` ends it."""

    def __init__(self, endpoint: str, sender: Sender, *, every: float = EVERY) -> None:
        _silence()
        for signal in (TRACES, METRICS):
            _throttle.forget(signal)
        base, resource = endpoint.rstrip("/"), sender.resource
        spans = OTLPSpanExporter(endpoint=f"{base}/v1/traces", timeout=_TIMEOUT)
        figures = OTLPMetricExporter(endpoint=f"{base}/v1/metrics", timeout=_TIMEOUT)
        self._spans = BatchSpanProcessor(_Spans(spans), schedule_delay_millis=every * 500)
        self._figures = PeriodicExportingMetricReader(
            _Figures(figures, resource), export_interval_millis=every * 1000
        )
        tracing.send_to(self._spans, resource=resource)
        collecting.add_reader(self._figures)

    def stop(self) -> None:
        """Send what is left, within two seconds, and end."""
        tracing.send_to(None)
        ending = [
            threading.Thread(target=_quietly, args=(end,), daemon=True)
            for end in (self._spans.shutdown, self._end_figures)
        ]
        for thread in ending:
            thread.start()
        for thread in ending:
            thread.join(_LAST_EXPORT)

    def _end_figures(self) -> None:
        self._figures.shutdown(_LAST_EXPORT * 1000)
        collecting.remove_reader(self._figures)


class _Spans(SpanExporter):
    def __init__(self, inner: SpanExporter) -> None:
        self._inner = inner

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = self._inner.export(spans)
        _told(TRACES, well=result is SpanExportResult.SUCCESS)
        return result

    def shutdown(self) -> None:
        self._inner.shutdown()


class _Figures(MetricExporter):
    def __init__(self, inner: MetricExporter, resource: Resource) -> None:
        super().__init__()
        self._inner = inner
        self._resource = resource

    def export(
        self, metrics_data: MetricsData, timeout_millis: float = 10_000, **more: Any
    ) -> MetricExportResult:
        found = collecting.with_timings(metrics_data).resource_metrics
        mine = [dataclasses.replace(one, resource=self._resource) for one in found]
        result = self._inner.export(MetricsData(resource_metrics=mine), timeout_millis, **more)
        _told(METRICS, well=result is MetricExportResult.SUCCESS)
        return result

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        return self._inner.force_flush(timeout_millis)

    def shutdown(self, timeout_millis: float = 30_000, **more: Any) -> None:
        self._inner.shutdown(timeout_millis, **more)


def _silence() -> None:
    """Let the library say nothing: its failures are counted and told by us."""
    for name in ("opentelemetry.exporter", "opentelemetry.sdk"):
        library = logging.getLogger(name)
        library.propagate = False
        library.handlers = [logging.NullHandler()]


def _told(signal: str, *, well: bool) -> None:
    metrics.TELEMETRY.add(1, signal, "sent" if well else "failed")
    if well:
        _throttle.forget(signal)
    elif (kept := _throttle.allow(signal)) is not None:
        log.warning("telemetry.export-failed", kind=signal, count=kept + 1, runbook="TelemetryNotExported")


def _quietly(end: Callable[[], None]) -> None:
    """End an exporter; one that was ended already says so by raising."""
    try:
        end()
    except (OSError, RuntimeError, ValueError) as error:
        log.warning("telemetry.not-ended", error=type(error).__name__)
