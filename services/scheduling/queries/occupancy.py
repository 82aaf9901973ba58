"""The claim on time: the exclusion constraint over `occupancy` decides, and nothing else does.

Invariants:
- A claim takes all its resources or none: fewer rows than resources means that somebody else has one of
  them, and the savepoint is rolled back, which also lets others have what was taken a moment before.
- Rows are inserted in the order of resource number and start, so that two claims never wait for each other.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from services.scheduling.models.spans import Span, Taken
from shared.db import Transaction

_KNOW = """
INSERT INTO resource (id)
SELECT wanted FROM unnest($1::text[]) AS wanted
WHERE NOT EXISTS (SELECT FROM resource WHERE id = wanted)
ORDER BY wanted ON CONFLICT DO NOTHING
"""

_TAKEN = """
SELECT resource.id, lower(during) AS starts, upper(during) AS ends
FROM resource JOIN occupancy
  ON int4range(occupancy.resource, occupancy.resource, '[]')
     && int4range(resource.number, resource.number, '[]')
 AND during && tstzrange($2, $3, '[)') AND live AND appointment <> ALL($4::uuid[])
WHERE resource.id = ANY($1::text[])
ORDER BY resource.id, starts
"""

_CLAIM = """
INSERT INTO occupancy (appointment, resource, during, live)
SELECT wanted.appointment, resource.number, tstzrange(wanted.starts, wanted.ends, '[)'), true
FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::timestamptz[])
     AS wanted (appointment, id, starts, ends)
JOIN resource ON resource.id = wanted.id
ORDER BY resource.number, wanted.starts
ON CONFLICT DO NOTHING
RETURNING resource
"""

_FORGET = "DELETE FROM occupancy WHERE appointment = ANY($1::uuid[])"
_RELEASE = "UPDATE occupancy SET live = false WHERE appointment = ANY($1::uuid[]) AND live"


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What one appointment wants to take: resources by their text ids, for one span of time."""

    appointment: UUID
    resources: tuple[str, ...]
    span: Span


async def know_resources(tx: Transaction, ids: Iterable[str]) -> None:
    """Give each of these resources its number, where it has none yet."""
    connection = await tx.driver()
    await connection.execute(_KNOW, sorted(set(ids)))


async def taken(tx: Transaction, ids: Sequence[str], *, window: Span, but_not: Sequence[UUID] = ()) -> Taken:
    """Read what is taken of these resources inside the window, leaving out some appointments."""
    found: dict[str, list[Span]] = defaultdict(list)
    if window.start < window.end:
        connection = await tx.driver()
        for row in await connection.fetch(_TAKEN, list(ids), window.start, window.end, list(but_not)):
            found[row["id"]].append(Span(row["starts"], row["ends"]))
    return found


async def claim(tx: Transaction, claims: Sequence[Claim], *, moving: bool = False) -> bool:
    """Take everything that is claimed, or nothing; tell which. `moving` gives up what they had before."""
    rows = [(one.appointment, resource, *one.span) for one in claims for resource in one.resources]
    connection = await tx.driver()
    await connection.execute("SAVEPOINT claim")
    if moving:
        await connection.execute(_FORGET, [one.appointment for one in claims])
    got = await connection.fetch(_CLAIM, *map(list, zip(*rows, strict=True)))
    whole = len(got) == len(rows)
    await connection.execute("RELEASE SAVEPOINT claim" if whole else "ROLLBACK TO SAVEPOINT claim")
    return whole


async def release(tx: Transaction, appointments: Sequence[UUID]) -> None:
    """Free what these appointments had taken."""
    connection = await tx.driver()
    await connection.execute(_RELEASE, list(appointments))
