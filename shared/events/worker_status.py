"""What a service's worker has left to do, and since when the oldest of it waits.

Invariants:
- What stands in the service's database is read in one statement, and so at one moment.
- Ages are machine time; how late timers are is care time.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import asyncpg

from shared.clock import machine_now
from shared.db import Database
from shared.events.failures import is_operational
from shared.events.inbox.held_events import DEAD, RETRYING
from shared.events.transport.base import Subscription, TopicProgress

_ANSWERS_WITHIN = 2.0

_STATEMENT = """
SELECT
  (SELECT count(*) FROM outbox) AS outbox,
  (SELECT machine_at FROM outbox ORDER BY id LIMIT 1) AS outbox_since,
  retrying.keys AS retrying, retrying.since AS retrying_since, dead.keys AS dead, dead.since AS dead_since,
  (SELECT count(*) FROM timer WHERE due_at <= $2) AS timers_due,
  (SELECT min(due_at) FROM timer WHERE due_at <= $2) AS timers_since,
  (SELECT min(due_at) FROM timer WHERE due_at > $2) AS next_timer,
  ARRAY(SELECT topic FROM event_log_end ORDER BY topic) AS own_topics,
  ARRAY(SELECT next_offset FROM event_log_end ORDER BY topic) AS own_ends
FROM (SELECT count(*) AS keys, min(machine_since) AS since FROM held_key
      WHERE consumer_group = $1 AND state = 'retrying') AS retrying,
     (SELECT count(*) AS keys, min(machine_since) AS since FROM held_key
      WHERE consumer_group = $1 AND state = 'dead') AS dead
"""

_HAS_WORK = """
SELECT EXISTS (SELECT FROM outbox) OR EXISTS (SELECT FROM timer WHERE due_at <= $2)
  OR EXISTS (SELECT FROM held_key WHERE consumer_group = $1 AND state = 'retrying') AS has_work
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopsStatus:
    """What the loops of a worker say of themselves; `failing` is how often in a row each has failed."""

    leads: bool = False
    in_hand_age: float = 0.0
    pending: int = 0
    next_due: datetime | None = None
    failing: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerStatus:
    """Counts, and ages in seconds; `held` has for each state the number of keys and the oldest one's age.

    `leads` says whether this process moves the service's outbox, `failing` how often in a row each loop has
    failed. `lag` is None where the transport does not answer. `positions` are the committed offsets of what
    is read, `ends` the log ends of what is read or published.
    """

    outbox: int
    outbox_age: float = 0.0
    leads: bool = False
    lag: Mapping[str, int] | None
    in_hand_age: float = 0.0
    held: Mapping[str, tuple[int, float]]
    timers_due: int
    timers_late: float = 0.0
    next_timer: datetime | None = None
    loops_pending: int = 0
    failing: Mapping[str, int] = field(default_factory=dict)
    positions: Mapping[str, int] = field(default_factory=dict)
    ends: Mapping[str, int] = field(default_factory=dict)

    @property
    def held_retrying(self) -> int:
        """How many keys wait to be tried again."""
        return self.held[RETRYING][0]

    @property
    def held_dead(self) -> int:
        """How many keys were given up and wait for a person."""
        return self.held[DEAD][0]

    @property
    def settled(self) -> bool:
        """Nothing is on its way: dead keys wait for a person and do not count."""
        lag = self.lag is None or any(self.lag.values())
        return not (self.outbox or lag or self.held_retrying or self.timers_due or self.loops_pending)


async def read_status(
    database: Database, subscription: Subscription | None, *, group: str, now: datetime, loops: LoopsStatus
) -> WorkerStatus:
    """Read the status of a service at a care time."""
    row = (await database.fetch(_STATEMENT, group, now))[0]
    progress = await read_progress(subscription)
    machine = machine_now()
    dues = [due for due in (row["next_timer"], loops.next_due) if due is not None and due > now]
    return WorkerStatus(
        outbox=row["outbox"],
        outbox_age=_seconds(row["outbox_since"], machine),
        leads=loops.leads,
        lag=None if progress is None else {topic: of.lag for topic, of in progress.items()},
        in_hand_age=loops.in_hand_age,
        held=_held(row, machine),
        timers_due=row["timers_due"],
        timers_late=_seconds(row["timers_since"], now),
        next_timer=min(dues, default=None),
        loops_pending=loops.pending,
        failing=loops.failing,
        positions={topic: of.position for topic, of in (progress or {}).items()},
        ends=dict(zip(row["own_topics"], row["own_ends"], strict=True))
        | {topic: of.end for topic, of in (progress or {}).items()},
    )


async def has_work(database: Database, *, group: str, now: datetime) -> bool:
    """Return whether a service has events to send, keys to try again or timers due at a care time."""
    rows = await database.fetch(_HAS_WORK, group, now)
    return bool(rows[0]["has_work"])


async def answers(subscription: Subscription | None) -> bool:
    """Return whether what carries the events answers within two seconds."""
    return await read_progress(subscription) is not None


async def read_progress(subscription: Subscription | None) -> Mapping[str, TopicProgress] | None:
    """Return how far each topic is read; None where the transport does not answer in time."""
    if subscription is None:
        return {}
    try:
        async with asyncio.timeout(_ANSWERS_WITHIN):
            return await subscription.progress()
    except Exception as error:
        if not is_operational(error):
            raise
        return None


def _held(row: asyncpg.Record, machine: datetime) -> dict[str, tuple[int, float]]:
    return {
        RETRYING: (row["retrying"], _seconds(row["retrying_since"], machine)),
        DEAD: (row["dead"], _seconds(row["dead_since"], machine)),
    }


def _seconds(since: datetime | None, now: datetime) -> float:
    return 0.0 if since is None else max(0.0, (now - since).total_seconds())
