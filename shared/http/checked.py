"""How long the border's check of a body takes, and what it refuses for."""

from collections.abc import Iterator
from contextlib import contextmanager

from shared.clock import monotonic
from shared.errors import Refusal
from shared.telemetry.tally import Count, Timing

_CHECKED = Timing(
    "lumbar.fhir.check.duration",
    description="Time to check a body against FHIR and the clinic's rules, by outcome",
    labels=("service", "outcome"),
)
_PROBLEMS = Count(
    "lumbar.fhir.check.problems",
    unit="{problem}",
    description="What bodies were refused for, by FHIR issue type",
    labels=("service", "code"),
)


@contextmanager
def checked(service: str) -> Iterator[None]:
    """Time a check and count the problems that it raises."""
    started, outcome = monotonic(), "accepted"
    try:
        yield
    except Refusal as refusal:
        outcome = "refused"
        for problem in refusal.problems:
            _PROBLEMS.add(1, service, problem.code)
        raise
    finally:
        _CHECKED.record(monotonic() - started, service, outcome)
