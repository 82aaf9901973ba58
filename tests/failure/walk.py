"""A walk through the fail points: processes die at each point that they can reach.

Every start arms the next point, so that one death costs one start.
"""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from services.careteam.use_cases.schedule_meeting import CALENDAR
from services.referral.use_cases.redirect import ESCALATION
from services.scheduling.models.timer_kinds import TimerKind
from shared.clock import monotonic
from tests.failure.places.cluster import KILLED, ClusterPlace, Transport
from tests.failure.places.place import Databases
from tests.failure.places.time import timers_fall_due

_RELAY = ("leading_not_relaying", "before_send", "relayed")
# What stays in PostgreSQL is appended and deleted by one statement: there is nothing in between.
_RELAY_ON_KAFKA = ("acked_not_deleted", "deleted_not_committed")
_CONSUMER = (
    "fetched_not_handled",
    "inbox_not_handled",
    "handled_not_committed",
    "committed_not_passed",
    "passed",
)
_HELD = (
    "failed_not_held",
    "held_not_committed",
    "retry_not_handled",
    "retried_not_removed",
    "removed_not_committed",
)
_TIMERS = ("timer_taken", "timer_not_committed", "timer_fired")
_SENDING = ("leased_not_sent", "sent_not_recorded", "recorded")
_API = ("key_locked", "received_not_committed", "after_commit_before_publish", "answered")
# Timers that would fall due in days or minutes, and may come early without harm.
HURRIED = {"referral": ESCALATION, "scheduling": TimerKind.AT_RISK, "careteam": CALENDAR}
_FAILS = "inbox_not_handled:raise@*"
_REACHED_WITHIN = 180.0
_LOOKS_EVERY = 0.05


@dataclass(kw_only=True)
class Walked:
    """The deaths by process and point, and the points that were not reached in time."""

    deaths: list[tuple[str, str]] = field(default_factory=list)
    missed: list[tuple[str, str]] = field(default_factory=list)


def points_of(target: str, transport: Transport) -> Sequence[str]:
    """Name the points that a process can reach."""
    service, role, _ = target.split("-")
    if role == "api":
        # notifications has no command.
        return () if service == "notifications" else _API
    on_kafka = _RELAY_ON_KAFKA if transport == "kafka" else ()
    own = _SENDING if service == "notifications" else _TIMERS
    return (*_RELAY, *on_kafka, *_CONSUMER, *_HELD, *own)


def armed(point: str, chance: random.Random) -> str:
    """Say how a point is armed: where an event must fail first, every one fails in that process."""
    if point in _HELD:
        return f"{_FAILS},{point}:kill"
    return f"{point}:kill@{chance.randint(1, 2) if point in _CONSUMER else 1}"


async def walk_all(place: ClusterPlace, *, chance: random.Random, most: int | None = None) -> Walked:
    """Walk every process through its points, or through at most so many of them, drawn by chance.

    All processes walk beside each other.
    """
    walked = Walked()
    routes = {target: points_of(target, place.transport) for target in place.targets}
    if most is not None:
        routes = {target: chance.sample(points, min(most, len(points))) for target, points in routes.items()}
    async with hurried_timers(place):
        await asyncio.gather(*(_walk(place, *route, walked, chance) for route in routes.items()))
    return walked


async def _walk(
    place: ClusterPlace, target: str, points: Sequence[str], walked: Walked, chance: random.Random
) -> None:
    for point in points:
        await place.kill(target)
        await place.start(target, failpoint=armed(point, chance))
        reached = await _dies(place, target)
        (walked.deaths if reached else walked.missed).append((target, point))
    if points:
        await place.kill(target)
        await place.start(target)
        await place.is_back(target)


async def _dies(place: ClusterPlace, target: str) -> bool:
    """Wait until a process has killed itself."""
    process, deadline = place.cluster.processes[target], monotonic() + _REACHED_WITHIN
    while process.poll() is None:
        if monotonic() > deadline:
            return False
        await asyncio.sleep(_LOOKS_EVERY)
    if process.returncode != KILLED:
        raise AssertionError(f"{target} ended with {process.returncode}: {place.tail(target)}")
    return True


@asynccontextmanager
async def hurried_timers(place: ClusterPlace) -> AsyncIterator[None]:
    """Let some timers of each service fall due all the time."""
    async with place.databases() as databases:
        hurrying = asyncio.create_task(_hurry(databases))
        try:
            yield
        finally:
            hurrying.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await hurrying


async def _hurry(databases: Databases) -> None:
    while True:
        for service, kind in HURRIED.items():
            await timers_fall_due(databases[service], kind)
        await asyncio.sleep(0.5)


def all_points() -> Iterator[str]:
    """Name every point that some process is walked through."""
    transports: tuple[Transport, ...] = ("kafka", "postgres")
    for transport in transports:
        for service in ("referral", "scheduling", "careteam", "notifications"):
            for role in ("api", "worker"):
                yield from points_of(f"{service}-{role}-0", transport)
