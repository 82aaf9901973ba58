"""From the outbox into the logs of the same database, in one statement: these events never leave PostgreSQL.

Invariants:
- Epoch, delete, dense offsets and append are one statement, and so one transaction: a deposed relay moves
  nothing, and nothing is moved twice or lost, however the statement ends.
- Rows stand in a log in the order of their ids; `event_log_end` is locked topic by topic in order of name.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import asyncpg

from shared.clock import machine_now
from shared.events.transport.base import Record
from shared.events.transport.event_log import decode_headers

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
  RETURNING topic, log_offset, key, headers, value
), read AS (
  SELECT topic, log_offset, key, headers::text AS headers, value FROM appended WHERE topic = ANY ($6::text[])
), typed AS (
  SELECT topic, headers ->> 'ce_type' AS type, count(*) AS records FROM gone GROUP BY 1, 2
)
SELECT EXISTS (SELECT FROM reign) AS reigns,
       {more_pending} AS more_pending,
       (SELECT max(id) FROM gone) AS newest,
       ARRAY(SELECT DISTINCT topic FROM typed) AS topics,
       ARRAY(SELECT type FROM typed ORDER BY topic, type) AS types,
       ARRAY(SELECT records FROM typed ORDER BY topic, type) AS records,
       ARRAY(SELECT topic FROM read ORDER BY topic, log_offset) AS read_topics,
       ARRAY(SELECT log_offset FROM read ORDER BY topic, log_offset) AS read_offsets,
       ARRAY(SELECT key FROM read ORDER BY topic, log_offset) AS read_keys,
       ARRAY(SELECT headers FROM read ORDER BY topic, log_offset) AS read_headers,
       ARRAY(SELECT value FROM read ORDER BY topic, log_offset) AS read_values,
       pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS oldest_running,
       pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS next_to_run
"""


_MOVE_ALL = _MOVE.format(of_part="", more_pending="false")
_MOVE_PART = _MOVE.format(
    of_part="AND topic = ANY ($7::text[])",
    # By id, as it is read, because EXISTS would walk over the deleted rows of the whole table.
    more_pending="(SELECT id FROM outbox WHERE id > $8 AND topic <> ALL ($7::text[])"
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
    `TopicSubset`. `read` has the records of the topics that were asked for, with their offsets.
    """

    reigns: bool
    more_pending: bool
    newest: int | None
    topics: tuple[str, ...]
    by_type: Mapping[str, int]
    read: Mapping[str, Sequence[Record]]
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
    read: Collection[str] = (),
    subset: TopicSubset | None = None,
) -> MoveResult:
    """Move at most `limit` events with an id beyond `above`, if `epoch` is the newest of the relay `name`;
    without a `subset` the events of all topics. Those of the topics in `read` are returned too.
    """
    asked = (name, epoch, above, limit, machine_now(), list(read))
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
        read=_records(row),
        oldest_running=row["oldest_running"],
        next_to_run=row["next_to_run"],
    )


def _records(row: asyncpg.Record) -> dict[str, list[Record]]:
    found: dict[str, list[Record]] = {}
    columns = (row[f"read_{name}"] for name in ("topics", "offsets", "keys", "headers", "values"))
    for topic, offset, key, headers, value in zip(*columns, strict=True):
        record = Record(
            topic=topic, partition=0, offset=offset, key=key, headers=decode_headers(headers), value=value
        )
        found.setdefault(topic, []).append(record)
    return found


def _summed(types: list[str | None], records: list[int]) -> dict[str, int]:
    found: dict[str, int] = {}
    for event_type, number in zip(types, records, strict=True):
        found[event_type or ""] = found.get(event_type or "", 0) + number
    return found
