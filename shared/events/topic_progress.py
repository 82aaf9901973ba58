"""How far a group has read each of its topics, written down for who cannot ask the transport.

The HTTP process of a service has its own database alone, so the worker writes its lag there now and then.

Invariants:
- A transport that does not answer changes nothing: what was written before stays, with its time.
- Times are machine time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.clock import machine_now
from shared.db import Database
from shared.events import worker_status
from shared.events.transport.base import Subscription

# Seconds between two looks.
EVERY = 15.0

_WRITE = """
WITH gone AS (DELETE FROM topic_progress WHERE consumer_group = $1 AND topic <> ALL($2::text[]))
INSERT INTO topic_progress (consumer_group, topic, lag, machine_at)
SELECT $1, read.topic, read.lag, $4 FROM unnest($2::text[], $3::bigint[]) AS read (topic, lag)
ON CONFLICT (consumer_group, topic) DO UPDATE SET lag = excluded.lag, machine_at = excluded.machine_at
"""
_READ = "SELECT topic, lag, machine_at AS at FROM topic_progress WHERE consumer_group = $1 ORDER BY topic"


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicLag:
    """How many events of a topic a group had not read yet when its worker looked."""

    topic: str
    lag: int
    at: datetime


class ProgressWriter:
    """Writes down the lag of one group."""

    def __init__(self, database: Database, subscription: Subscription, *, group: str) -> None:
        self._database = database
        self._subscription = subscription
        self._group = group

    async def step(self) -> bool:
        """Write down the lag as it is now; always False, because the next look is far away."""
        found = await worker_status.read_progress(self._subscription)
        if found is not None:
            topics = sorted(found)
            lags = [found[topic].lag for topic in topics]
            await self._database.fetch(_WRITE, self._group, topics, lags, machine_now())
        return False


async def read(database: Database, *, group: str) -> Sequence[TopicLag]:
    """Read what a group's worker wrote down last, by topic."""
    return [TopicLag(**row) for row in await database.fetch(_READ, group)]
