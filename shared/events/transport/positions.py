"""Where a group stands in what it reads: one row for each partition, in the consumer's own database.

Invariants:
- A position moves by compare-and-set from where this process read it. Who no longer owns a partition moves
  nothing, and a position that an operator has set back is never written over.
- It moves in the transaction of the effects of what it passes (deduplication.py), or when that had none.
- Whoever begins to read a partition writes a missing position down before the first record is read.
"""

from collections.abc import Mapping, Sequence

from shared.db import Database, Transaction
from shared.events.transport.base import PositionMove

Partition = tuple[str, int]

# What moves only where every position still is where it was read from; the values are those of `columns`.
MOVE = """
UPDATE group_position AS position SET next_offset = move.behind
FROM unnest($2::text[], $3::int[], $4::bigint[], $5::bigint[])
  AS move (topic, log_partition, read_from, behind)
WHERE position.consumer_group = $1 AND position.topic = move.topic
  AND position.log_partition = move.log_partition AND position.next_offset = move.read_from
RETURNING 1
"""


class PositionMoved(Exception):
    """A position is not where this process read it: another owner has it, or an operator set it back."""


def columns(moves: Sequence[PositionMove]) -> tuple[list[str], list[int], list[int], list[int]]:
    """Return the moves as the arrays that MOVE takes."""
    return (
        [move.topic for move in moves],
        [move.partition for move in moves],
        [move.read_from for move in moves],
        [move.behind for move in moves],
    )


async def move(tx: Transaction, *, group: str, moves: Sequence[PositionMove]) -> None:
    """Move all of these positions in this transaction; raises PositionMoved where one is elsewhere."""
    if moves and len(await tx.records(MOVE, group, *columns(moves))) < len(moves):
        raise PositionMoved


async def read(database: Database, *, group: str) -> dict[Partition, int]:
    """Return the positions of a group that are written down."""
    rows = await database.fetch(
        "SELECT topic, log_partition, next_offset FROM group_position WHERE consumer_group = $1", group
    )
    return {(row["topic"], row["log_partition"]): row["next_offset"] for row in rows}


async def begin(database: Database, *, group: str, starts: Mapping[Partition, int]) -> dict[Partition, int]:
    """Write down where a group begins to read partitions that have no position yet; return all positions."""
    if starts:
        await database.fetch(
            "INSERT INTO group_position (consumer_group, topic, log_partition, next_offset)"
            " SELECT $1, * FROM unnest($2::text[], $3::int[], $4::bigint[]) ON CONFLICT DO NOTHING",
            group,
            [topic for topic, _ in starts],
            [partition for _, partition in starts],
            list(starts.values()),
        )
    return await read(database, group=group)


async def set_back(database: Database, *, group: str, topic: str, offset: int) -> int:
    """Set a group's position in every partition of a topic back to an offset; return how many lay beyond it.

    What the group has handled stays handled, because the inbox knows it: only what it misses has an effect.
    Whoever reads as the group finds its position elsewhere, and reads on from here.
    """
    rows = await database.fetch(
        "UPDATE group_position SET next_offset = $3"
        " WHERE consumer_group = $1 AND topic = $2 AND next_offset > $3 RETURNING 1",
        group,
        topic,
        offset,
    )
    return len(rows)
