"""What a worker has left to do and for how long it has waited, for whoever watches it (/metrics, OTLP)."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from shared.clock import machine_now
from shared.db import Database
from shared.events.backlog import Backlog
from shared.events.failures import is_operational
from shared.events.held import DEAD, RETRYING
from shared.events.reading import fetch
from shared.events.transport import Known, Subscription

_ANSWERS_WITHIN = 2.0

_OLDEST = """
SELECT
  (SELECT machine_at FROM outbox ORDER BY id LIMIT 1) AS outbox,
  (SELECT min(machine_since) FROM held_key WHERE consumer_group = $1 AND state = 'retrying') AS retrying,
  (SELECT min(machine_since) FROM held_key WHERE consumer_group = $1 AND state = 'dead') AS dead,
  (SELECT min(due_at) FROM timer WHERE due_at <= $2) AS timer
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Oldest:
    """How long the oldest of each kind has waited, in seconds: machine time, for timers care time."""

    outbox: float
    retrying: float
    dead: float
    timer: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Counts, and ages in seconds; `held` gives for each state how many keys and the age of the oldest.

    `leads` says whether this process moves the service's outbox, `failing` how often in a row each loop has
    failed. `lag` is None where the transport does not answer.
    """

    outbox: int
    outbox_age: float
    leads: bool
    lag: Mapping[str, int] | None
    in_hand_age: float
    held: Mapping[str, tuple[int, float]]
    timers_due: int
    timers_late: float
    failing: Mapping[str, int]


async def oldest(database: Database, *, group: str, now: datetime) -> Oldest:
    """Read since when the oldest of everything waits, at a care time."""
    row = (await fetch(database, _OLDEST, group, now))[0]
    machine = machine_now()
    return Oldest(
        outbox=_seconds(row["outbox"], machine),
        retrying=_seconds(row["retrying"], machine),
        dead=_seconds(row["dead"], machine),
        timer=_seconds(row["timer"], now),
    )


async def lag_of(subscription: Subscription | None, found: Backlog | None = None) -> Mapping[str, int] | None:
    """Ask how many records of each topic wait; None where the transport does not answer in time.

    What was `found` in the consumer's database is not read there again.
    """
    if subscription is None:
        return {}
    try:
        async with asyncio.timeout(_ANSWERS_WITHIN):
            known = None if found is None else Known(positions=found.positions, extents=found.extents)
            return {topic: of.lag for topic, of in (await subscription.reached(known=known)).items()}
    except Exception as error:
        if not is_operational(error):
            raise
        return None


def held_by_state(*, retrying: int, dead: int, since: Oldest) -> dict[str, tuple[int, float]]:
    """Put the numbers of held keys and their ages together."""
    return {RETRYING: (retrying, since.retrying), DEAD: (dead, since.dead)}


def _seconds(since: datetime | None, now: datetime) -> float:
    return 0.0 if since is None else max(0.0, (now - since).total_seconds())
