"""The context of a verb, as requests, events and timers have it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from shared.actor import Actor
from shared.auth.principal import Principal
from shared.clinic import Clinic, Scheduling, SchedulingPolicy, load_clinic
from shared.clock import Clock, SystemClock
from shared.context import Context
from shared.urls import Urls

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
BASE = "http://clinic.example"


@cache
def example_clinic() -> Clinic:
    """Read the clinic of examples/clinic.yaml."""
    return load_clinic(Path(__file__).parents[2] / "examples" / "clinic.yaml")


def earliest_clinic() -> Clinic:
    """Give the example clinic as one whose policy is the earliest time."""
    return example_clinic().model_copy(update={"scheduling": Scheduling(policy=SchedulingPolicy.EARLIEST)})


def a_context(
    *,
    at: datetime = NOON,
    actor: Actor | None = None,
    cause: str | None = "test",
    clinic: Clinic | None = None,
    service: str = "referral",
    principal: Principal | None = None,
) -> Context:
    """Make a context; without an actor the service itself acts."""
    return Context(
        at=at,
        actor=actor or Actor.service(service),
        cause=cause,
        clinic=clinic or example_clinic(),
        urls=Urls(base=BASE, service=service),
        principal=principal,
    )


def contexts(*, service: str, clock: Clock | None = None) -> Callable[[str], Context]:
    """Make what makes the context of a cause."""
    now = (clock or SystemClock()).now
    made = a_context(service=service)
    return lambda cause: replace(made, at=now(), cause=cause)
