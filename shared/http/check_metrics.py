"""How long the border's check of a body takes, and what it refuses for."""

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import Counter, Histogram

from shared.clock import monotonic
from shared.errors import Refusal
from shared.telemetry.registry import REGISTRY, SECONDS

_DURATION = Histogram(
    "lumbar_fhir_check_duration_seconds",
    "Time to check a body against FHIR and the clinic's rules, by outcome",
    ["service", "outcome"],
    buckets=SECONDS,
    registry=REGISTRY,
)
_PROBLEMS = Counter(
    "lumbar_fhir_check_problems",
    "What bodies were refused for, by FHIR issue type",
    ["service", "code"],
    registry=REGISTRY,
)


@contextmanager
def measured_check(service: str) -> Iterator[None]:
    """Time a check and count the problems that it raises."""
    started, outcome = monotonic(), "accepted"
    try:
        yield
    except Refusal as refusal:
        outcome = "refused"
        for problem in refusal.problems:
            _PROBLEMS.labels(service, problem.code).inc()
        raise
    finally:
        _DURATION.labels(service, outcome).observe(monotonic() - started)
