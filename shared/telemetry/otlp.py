"""Traces pushed to an OpenTelemetry collector: OTLP over HTTP, protobuf, by a thread of its own.

Invariants:
- Nobody waits for it: a finished span goes into a queue that drops when it is full. A collector that is slow,
  wrong or away costs spans, never a request.
- A failure is counted (`lumbar_telemetry_exports_total`) and logged once a minute; the library's own lines,
  which quote addresses and answers, are not written.
- What is sent holds what spans hold: templates, types, ids and times.
"""

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version

import structlog
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from prometheus_client import Counter

from shared.ids import new_text_id
from shared.telemetry import tracing
from shared.telemetry.log_throttle import LogThrottle
from shared.telemetry.registry import REGISTRY

EVERY = 5.0
_SIGNAL = "traces"
_TIMEOUT = 5.0
_LAST_EXPORT = 2.0

log = structlog.get_logger("lumbar.telemetry")
_throttle = LogThrottle()
_EXPORTS = Counter(
    "lumbar_telemetry_exports",
    "Exports by OTLP, by signal and outcome",
    ["signal", "outcome"],
    registry=REGISTRY,
)


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
    """A running export of spans to the collector at `endpoint` (its base address); `stop` ends it."""

    def __init__(self, endpoint: str, sender: Sender, *, every: float = EVERY) -> None:
        _silence()
        _throttle.forget(_SIGNAL)
        spans = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=_TIMEOUT)
        self._spans = BatchSpanProcessor(_Spans(spans), schedule_delay_millis=every * 1000)
        tracing.send_to(self._spans, resource=sender.resource)

    def stop(self) -> None:
        """Send what is left, within two seconds, and end."""
        tracing.send_to(None)
        ending = threading.Thread(target=self._spans.shutdown, daemon=True)
        ending.start()
        ending.join(_LAST_EXPORT)


class _Spans(SpanExporter):
    def __init__(self, inner: SpanExporter) -> None:
        self._inner = inner

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = self._inner.export(spans)
        _count(succeeded=result is SpanExportResult.SUCCESS)
        return result

    def shutdown(self) -> None:
        self._inner.shutdown()


def _silence() -> None:
    """Let the library say nothing: its failures are counted and logged by us."""
    for name in ("opentelemetry.exporter", "opentelemetry.sdk"):
        library = logging.getLogger(name)
        library.propagate = False
        library.handlers = [logging.NullHandler()]


def _count(*, succeeded: bool) -> None:
    _EXPORTS.labels(_SIGNAL, "sent" if succeeded else "failed").inc()
    if succeeded:
        _throttle.forget(_SIGNAL)
    elif (kept := _throttle.allow(_SIGNAL)) is not None:
        log.warning("telemetry.export-failed", kind=_SIGNAL, count=kept + 1, runbook="TelemetryNotExported")
