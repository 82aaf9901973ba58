"""From the outbox into the logs of the same database, in one statement: these events never leave PostgreSQL.

Invariants:
- Epoch, delete, dense offsets and append are one statement, and so one transaction: a deposed relay moves
  nothing, and nothing is moved twice or lost, however the statement ends.
- Rows stand in a log in the order of their ids; `event_log_end` is locked topic by topic in order of name.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import asyncpg

from shared.clock import machine_now

_MOVE = """
WITH reign AS MATERIALIZED (
  SELECT epoch FROM relay_epoch WHERE name = $1 AND epoch = $2 FOR SHARE
), gone AS (
  DELETE FROM outbox WHERE id = ANY (ARRAY(
    SELECT id FROM outbox WHERE id > $3 AND EXISTS (SELECT FROM reign) {of_part} ORDER BY id LIMIT $4))
  RETURNING id, topic, key, headers, value
), counted AS (
  SELECT topic, count(*) AS records FROM gone GROUP BY topic
), ends AS (
  INSERT INTO event_log_end AS log (topic, next_offset)
  SELECT topic, records FROM counted ORDER BY topic
  ON CONFLICT (topic) DO UPDATE SET next_offset = log.next_offset + excluded.next_offset
  RETURNING topic, next_offset
), appended AS (
  INSERT INTO event_log (topic, log_offset, key, headers, value, machine_at)
  SELECT gone.topic,
         ends.next_offset - counted.records - 1
           + row_number() OVER (PARTITION BY gone.topic ORDER BY gone.id),
         gone.key, gone.headers, gone.value, $5
  FROM gone JOIN counted USING (topic) JOIN ends USING (topic)
), typed AS (
  SELECT topic, headers ->> 'ce_type' AS type, count(*) AS records FROM gone GROUP BY 1, 2
)
SELECT EXISTS (SELECT FROM reign) AS reigns,
       {more_pending} AS more_pending,
       (SELECT max(id) FROM gone) AS newest,
       ARRAY(SELECT DISTINCT topic FROM typed) AS topics,
       ARRAY(SELECT type FROM typed ORDER BY topic, type) AS types,
       ARRAY(SELECT records FROM typed ORDER BY topic, type) AS records,
       pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS oldest_running,
       pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS next_to_run
"""


_MOVE_ALL = _MOVE.format(of_part="", more_pending="false")
_MOVE_PART = _MOVE.format(
    of_part="AND topic = ANY ($6::text[])",
    # By id, as it is read, because EXISTS would walk over the deleted rows of the whole table.
    more_pending="(SELECT id FROM outbox WHERE id > $7 AND topic <> ALL ($6::text[])"
    " ORDER BY id LIMIT 1) IS NOT NULL",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicSubset:
    """The topics whose events are moved where others travel; of those it is told whether any wait with an
    id beyond `others_above`.
    """

    topics: frozenset[str]
    others_above: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveResult:
    """What one statement moved: how many of each event type, to which topics; `newest` is the last id.

    `oldest_running` and `next_to_run` are the statement's snapshot; `more_pending` belongs to a
    `TopicSubset`.
    """

    reigns: bool
    more_pending: bool
    newest: int | None
    topics: tuple[str, ...]
    by_type: Mapping[str, int]
    oldest_running: int
    next_to_run: int

    @property
    def records(self) -> int:
        """How many events were moved."""
        return sum(self.by_type.values())


async def move(
    driver: asyncpg.Connection,
    *,
    name: str,
    epoch: int,
    above: int,
    limit: int,
    subset: TopicSubset | None = None,
) -> MoveResult:
    """Move at most `limit` events with an id beyond `above`, if `epoch` is the newest of the relay `name`;
    without a `subset` the events of all topics.
    """
    asked = (name, epoch, above, limit, machine_now())
    if subset is None:
        row = await driver.fetchrow(_MOVE_ALL, *asked)
    else:
        row = await driver.fetchrow(_MOVE_PART, *asked, sorted(subset.topics), subset.others_above)
    return MoveResult(
        reigns=row["reigns"],
        more_pending=row["more_pending"],
        newest=row["newest"],
        topics=tuple(row["topics"]),
        by_type=_summed(row["types"], row["records"]),
        oldest_running=row["oldest_running"],
        next_to_run=row["next_to_run"],
    )


def _summed(types: list[str | None], records: list[int]) -> dict[str, int]:
    found: dict[str, int] = {}
    for event_type, number in zip(types, records, strict=True):
        found[event_type or ""] = found.get(event_type or "", 0) + number
    return found
