"""The claim on time: the exclusion constraint over `occupancy` decides, and nothing else does.

Invariants:
- A claim takes all its resources or none: fewer rows than resources means that somebody else has one of
  them, and what was taken a moment before is given up again.
- What is held is taken until the hold expires: who reads at a later moment reads it as free, who claims then
  drops it.
- Whoever gives time back that others could see counts it in `freed`, in the same transaction.
- Rows are inserted in the order of resource number, start and appointment, so that two claims never wait for
  each other, and of several that meet in one statement the first of that order gets all it wants.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
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
 AND (until IS NULL OR until > $5)
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
 AND during && tstzrange(wanted.starts, wanted.ends, '[)') AND live AND (until IS NULL OR until > $5)
ORDER BY place, resource.id, lower(during)
"""

_FREED = "SELECT site, times FROM freed WHERE site = ANY($1::text[])"
_COUNT_FREED = """
INSERT INTO freed (site, times) SELECT site, 1 FROM unnest($1::text[]) AS site ORDER BY site
ON CONFLICT (site) DO UPDATE SET times = freed.times + 1
"""

_CLAIM = """
INSERT INTO occupancy (appointment, resource, during, live, until)
SELECT wanted.appointment, resource.number, tstzrange(wanted.starts, wanted.ends, '[)'), true, wanted.until
FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::timestamptz[], $5::timestamptz[])
     AS wanted (appointment, id, starts, ends, until)
JOIN resource ON resource.id = wanted.id
ORDER BY resource.number, wanted.starts, wanted.appointment
ON CONFLICT DO NOTHING
RETURNING appointment
"""

_FORGET = "DELETE FROM occupancy WHERE appointment = ANY($1::uuid[])"
_HOLD_UNTIL = "UPDATE occupancy SET until = $2 WHERE appointment = $1 AND live"
_KEEP = "UPDATE occupancy SET until = NULL WHERE appointment = $1 AND live RETURNING resource"
# Rows are locked in the order in which they are inserted.
_DROP_EXPIRED = """
UPDATE occupancy SET live = false FROM (
  SELECT held.appointment, held.resource
  FROM occupancy AS held JOIN resource ON resource.number = held.resource
  WHERE resource.id = ANY($1::text[]) AND held.live AND held.until <= $2
  ORDER BY held.resource, held.during FOR UPDATE OF held
) AS expired
WHERE occupancy.appointment = expired.appointment AND occupancy.resource = expired.resource
  AND occupancy.live AND occupancy.until <= $2
"""
_RELEASE = "UPDATE occupancy SET live = false WHERE appointment = ANY($1::uuid[]) AND live"


@dataclass(frozen=True, kw_only=True)
class OccupancyClaim:
    """What one appointment wants to take: resources by their text ids, for one span of time.

    `visit` is the time of its patient where more than that is taken of everything else. What is held and not
    booked is taken `until` a moment.
    """

    appointment: UUID
    resources: tuple[str, ...]
    span: Span
    visit: Span | None = None
    until: datetime | None = None

    def taken_of(self, resource: str) -> Span:
        """Return the time that is taken of one of the resources."""
        is_patient = self.visit is not None and resource.startswith("patient/")
        return self.visit if self.visit is not None and is_patient else self.span


async def know_resources(tx: Transaction, ids: Iterable[str]) -> set[str]:
    """Give each of these resources its number, where it has none yet, and return those that had none."""
    return {record["id"] for record in await tx.records(_KNOW, sorted(set(ids)))}


async def taken(
    tx: Transaction, ids: Sequence[str], *, window: Span, at: datetime, but_not: Sequence[UUID] = ()
) -> Taken:
    """Read what is taken of these resources inside the window at a moment, leaving out some appointments.

    A hold that has expired by then takes nothing.
    """
    found: dict[str, list[Span]] = defaultdict(list)
    if window.start < window.end:
        for record in await tx.records(_TAKEN, list(ids), window.start, window.end, list(but_not), at):
            found[record["id"]].append(Span(record["starts"], record["ends"]))
    return found


async def taken_in(
    tx: Transaction, groups: Sequence[tuple[Sequence[str], Span]], *, at: datetime
) -> list[Taken]:
    """Read what is taken at a moment of several groups of resources, each in a window of its own.

    That is one statement; a hold that has expired by then takes nothing.
    """
    found: list[dict[str, list[Span]]] = [defaultdict(list) for _ in groups]
    asked = [(place, resource, *window) for place, (ids, window) in enumerate(groups) for resource in ids]
    if asked:
        for record in await tx.records(_TAKEN_IN, *map(list, zip(*asked, strict=True)), at):
            found[record["place"]][record["id"]].append(Span(record["starts"], record["ends"]))
    return list(found)


async def freed(tx: Transaction, sites: Iterable[str]) -> dict[str, int]:
    """Read how often time was given back at these sites; where it never was, a site is left out."""
    return {record["site"]: record["times"] for record in await tx.records(_FREED, sorted(set(sites)))}


async def count_freed(tx: Transaction, sites: Iterable[str]) -> None:
    """Note that time is given back at these sites, in the transaction that does so."""
    await tx.run(_COUNT_FREED, sorted(set(sites)))


async def claim_each(tx: Transaction, claims: Sequence[OccupancyClaim]) -> set[UUID]:
    """Take for each appointment all that it claims, or nothing, and return those that got it."""
    got = Counter(await _insert(tx, claims))
    won = {claim.appointment for claim in claims if got[claim.appointment] == len(claim.resources)}
    if lost := [claim.appointment for claim in claims if claim.appointment not in won]:
        await tx.run(_FORGET, lost)
    return won


async def claim_all(
    tx: Transaction, claims: Sequence[OccupancyClaim], *, at: datetime, moving: bool = False
) -> bool:
    """Take everything that is claimed, or nothing, and return which.

    `moving` gives up what the appointments had before. Only a hold that has expired gives way, and what was
    never taken before gets its number.
    """
    if await _try_all(tx, claims, moving=moving):
        return True
    new = await know_resources(tx, [resource for claim in claims for resource in claim.resources])
    expired = await drop_expired(tx, claims, at=at)
    return (bool(new) or expired) and await _try_all(tx, claims, moving=moving)


async def _try_all(tx: Transaction, claims: Sequence[OccupancyClaim], *, moving: bool) -> bool:
    await tx.records("SAVEPOINT claim")
    if moving:
        await tx.run(_FORGET, [claim.appointment for claim in claims])
    got = await _insert(tx, claims)
    whole = len(got) == sum(len(claim.resources) for claim in claims)
    await tx.records("RELEASE SAVEPOINT claim" if whole else "ROLLBACK TO SAVEPOINT claim")
    return whole


async def drop_expired(tx: Transaction, claims: Sequence[OccupancyClaim], *, at: datetime) -> bool:
    """Free what holds that have expired still take of what is claimed; return whether there was any.

    Their timer does the same; it may be late, and a hold blocks nobody for longer than it says.
    """
    wanted = sorted({resource for claim in claims for resource in claim.resources})
    return await tx.run(_DROP_EXPIRED, wanted, at) > 0


async def hold_until(tx: Transaction, appointment: UUID, until: datetime | None) -> None:
    """Let what a hold takes be taken until another moment, or for good."""
    await tx.run(_HOLD_UNTIL, appointment, until)


async def keep_held(tx: Transaction, appointment: UUID) -> int:
    """Let what an appointment holds be taken for good, and return how many resources that are."""
    return len(await tx.records(_KEEP, appointment))


async def release(tx: Transaction, appointments: Sequence[UUID]) -> None:
    """Free what these appointments had taken."""
    await tx.run(_RELEASE, list(appointments))


async def _insert(tx: Transaction, claims: Sequence[OccupancyClaim]) -> list[UUID]:
    """Return the appointment of each row that could be inserted."""
    rows = [
        (claim.appointment, resource, *claim.taken_of(resource), claim.until)
        for claim in claims
        for resource in claim.resources
    ]
    return [record["appointment"] for record in await tx.records(_CLAIM, *map(list, zip(*rows, strict=True)))]
