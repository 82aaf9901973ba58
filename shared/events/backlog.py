"""What is left to do in one service's database, read in one statement and so at one moment."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from shared.db import Database
from shared.events.reading import fetch
from shared.events.transport import Extent

_STATEMENT = """
SELECT
  (SELECT count(*) FROM outbox) AS outbox,
  (SELECT count(*) FROM held_key WHERE consumer_group = $1 AND state = 'retrying') AS held_retrying,
  (SELECT count(*) FROM held_key WHERE consumer_group = $1 AND state = 'dead') AS held_dead,
  (SELECT count(*) FROM timer WHERE due_at <= $2) AS timers_due,
  (SELECT min(due_at) FROM timer WHERE due_at > $2) AS next_timer,
  ARRAY(SELECT topic FROM consumer_position WHERE consumer_group = $1 ORDER BY topic) AS read_topics,
  ARRAY(SELECT next_offset FROM consumer_position WHERE consumer_group = $1 ORDER BY topic) AS positions,
  ARRAY(SELECT topic FROM event_log_end ORDER BY topic) AS own_topics,
  ARRAY(SELECT first_offset FROM event_log_end ORDER BY topic) AS firsts,
  ARRAY(SELECT next_offset FROM event_log_end ORDER BY topic) AS ends
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """Counts and positions of one service at one moment."""

    outbox: int
    held_retrying: int
    held_dead: int
    timers_due: int
    next_timer: datetime | None
    positions: Mapping[str, int]
    extents: Mapping[str, Extent]

    @property
    def busy(self) -> bool:
        """Something of this service is on its way, whatever the others do."""
        return bool(self.outbox or self.held_retrying or self.timers_due)


async def read(database: Database, *, group: str, now: datetime) -> Backlog:
    """Read the backlog of a service at a care time."""
    row = (await fetch(database, _STATEMENT, group, now))[0]
    return Backlog(
        outbox=row["outbox"],
        held_retrying=row["held_retrying"],
        held_dead=row["held_dead"],
        timers_due=row["timers_due"],
        next_timer=row["next_timer"],
        positions=dict(zip(row["read_topics"], row["positions"], strict=True)),
        extents={
            topic: Extent(first=first, end=end)
            for topic, first, end in zip(row["own_topics"], row["firsts"], row["ends"], strict=True)
        },
    )
