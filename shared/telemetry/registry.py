"""The figures of this process stand in one registry, and each is declared in the module that counts it.

Invariants:
- A name is OpenTelemetry's (`http.server.request.duration`) or ours (`lumbar.`), written as Prometheus writes
  it: `_` for `.`, then the unit.
- Labels come from closed tables: a service, a route template, an event type; never an id, never a text.
"""

from prometheus_client import CollectorRegistry, disable_created_metrics

SECONDS = (0.002, 0.005, 0.01, 0.015, 0.025, 0.04, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10)
LONG_SECONDS = (0.005, 0.015, 0.04, 0.1, 0.25, 1, 2.5, 10, 30, 60, 300, 900, 3600)

disable_created_metrics()  # type: ignore[no-untyped-call]
REGISTRY = CollectorRegistry()
