"""The claim on time: the exclusion constraint over `occupancy` decides, and nothing else does.

Invariants:
- A claim takes all its resources or none: fewer rows than resources means that somebody else has one of
  them, and what was taken a moment before is given up again.
- Whoever gives time back that others could see counts it in `freed`, in the same transaction.
- Rows are inserted in the order of resource number, start and appointment, so that two claims never wait for
  each other, and of several that meet in one statement the first of that order gets all it wants.
"""

from collections import Counter, defaultdict
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
RETURNING id
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

_TAKEN_IN = """
SELECT place, resource.id, lower(during) AS starts, upper(during) AS ends
FROM unnest($1::int[], $2::text[], $3::timestamptz[], $4::timestamptz[]) AS wanted (place, id, starts, ends)
JOIN resource ON resource.id = wanted.id
JOIN occupancy
  ON int4range(occupancy.resource, occupancy.resource, '[]')
     && int4range(resource.number, resource.number, '[]')
 AND during && tstzrange(wanted.starts, wanted.ends, '[)') AND live
ORDER BY place, resource.id, lower(during)
"""

_FREED = "SELECT site, times FROM freed WHERE site = ANY($1::text[])"
_COUNT_FREED = """
INSERT INTO freed (site, times) SELECT site, 1 FROM unnest($1::text[]) AS site ORDER BY site
ON CONFLICT (site) DO UPDATE SET times = freed.times + 1
"""

_CLAIM = """
INSERT INTO occupancy (appointment, resource, during, live)
SELECT wanted.appointment, resource.number, tstzrange(wanted.starts, wanted.ends, '[)'), true
FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::timestamptz[])
     AS wanted (appointment, id, starts, ends)
JOIN resource ON resource.id = wanted.id
ORDER BY resource.number, wanted.starts, wanted.appointment
ON CONFLICT DO NOTHING
RETURNING appointment
"""

_FORGET = "DELETE FROM occupancy WHERE appointment = ANY($1::uuid[])"
_RELEASE = "UPDATE occupancy SET live = false WHERE appointment = ANY($1::uuid[]) AND live"


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What one appointment wants to take: resources by their text ids, for one span of time."""

    appointment: UUID
    resources: tuple[str, ...]
    span: Span


async def know_resources(tx: Transaction, ids: Iterable[str]) -> set[str]:
    """Give each of these resources its number, where it has none yet; name those that had none."""
    connection = await tx.driver()
    return {row["id"] for row in await connection.fetch(_KNOW, sorted(set(ids)))}


async def taken(tx: Transaction, ids: Sequence[str], *, window: Span, but_not: Sequence[UUID] = ()) -> Taken:
    """Read what is taken of these resources inside the window, leaving out some appointments."""
    found: dict[str, list[Span]] = defaultdict(list)
    if window.start < window.end:
        connection = await tx.driver()
        for row in await connection.fetch(_TAKEN, list(ids), window.start, window.end, list(but_not)):
            found[row["id"]].append(Span(row["starts"], row["ends"]))
    return found


async def taken_in(
    tx: Transaction, wanted: Sequence[tuple[Sequence[str], Span]]
) -> list[dict[str, list[Span]]]:
    """Read what is taken of several groups of resources, each in a window of its own, in one statement."""
    found: list[dict[str, list[Span]]] = [defaultdict(list) for _ in wanted]
    asked = [(place, one, *window) for place, (ids, window) in enumerate(wanted) for one in ids]
    if asked:
        connection = await tx.driver()
        for row in await connection.fetch(_TAKEN_IN, *map(list, zip(*asked, strict=True))):
            found[row["place"]][row["id"]].append(Span(row["starts"], row["ends"]))
    return found


async def freed(tx: Transaction, sites: Iterable[str]) -> dict[str, int]:
    """Tell how often time was given back at these sites; where it never was, a site is left out."""
    return {row["site"]: row["times"] for row in await tx.fetch(_FREED, sorted(set(sites)))}


async def count_freed(tx: Transaction, sites: Iterable[str]) -> None:
    """Say that time is given back at these sites, in the transaction that does so."""
    connection = await tx.driver()
    await connection.execute(_COUNT_FREED, sorted(set(sites)))


async def claim_each(tx: Transaction, claims: Sequence[Claim]) -> set[UUID]:
    """Take for each appointment all that it claims, or nothing; name those that got it."""
    rows = [(one.appointment, resource, *one.span) for one in claims for resource in one.resources]
    connection = await tx.driver()
    got = Counter(
        row["appointment"] for row in await connection.fetch(_CLAIM, *map(list, zip(*rows, strict=True)))
    )
    won = {one.appointment for one in claims if got[one.appointment] == len(one.resources)}
    if lost := [one.appointment for one in claims if one.appointment not in won]:
        await connection.execute(_FORGET, lost)
    return won


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
