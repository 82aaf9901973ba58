"""People and organisations that a sender names in many referrals: each is stored once, for `ifNoneExist`.

Invariants:
- `directory_entry` tells which resource of a sender carries an identifier: the first, for good.
- What a process remembers of it is a hint: whoever uses one says so in the same statement as all writes, and
  that writes nothing (Outrun) where the resource is not there as remembered.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID
from weakref import WeakKeyDictionary

from services.referral.models import Enclosure
from shared.db import Database, Transaction, Unchanged, Write

# Resources about people and places, which one sender uses in many referrals.
DIRECTORY_TYPES = ("Practitioner", "PractitionerRole", "Organization")
_REMEMBERED = 20_000

_COLUMNS = {"requester": "text", "type": "text", "token": "text", "enclosure_id": "uuid"}
_ENTER = Write.into("directory_entry", _COLUMNS, conflict="ON CONFLICT DO NOTHING")
_CLAIM = Write.into("directory_entry", _COLUMNS, conflict="ON CONFLICT DO NOTHING", claim=4)
_AS_REMEMBERED = Unchanged.of("enclosure", {"id": "uuid", "version": "int4"})
_FIND = """
SELECT entry.type, entry.token, enclosure.id, enclosure.version
FROM unnest($2::text[], $3::text[]) AS wanted (type, token)
JOIN directory_entry AS entry
  ON entry.requester = $1 AND entry.type = wanted.type AND entry.token = wanted.token
JOIN enclosure ON enclosure.id = entry.enclosure_id
"""

Name = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a resource that was sent before stands."""

    id: UUID
    version: int


_remembered: WeakKeyDictionary[Database, dict[tuple[str, str, str], Placed]] = WeakKeyDictionary()


async def in_directory(
    tx: Transaction, requester: str, names: Collection[Name], *, bold: bool
) -> Mapping[Name, Placed]:
    """Find the resources of a sender that carry these identifiers: (type, `system|value`) to where it stands.

    A `bold` one takes what this process remembers, and the next writes hold it against the database.
    """
    names = [name for name in names if name[0] in DIRECTORY_TYPES]
    if not names:
        return {}
    remembered = _remembered.setdefault(tx.database, {})
    found: dict[Name, Placed] = {}
    if bold:
        known = {name: remembered.get((requester, *name)) for name in names}
        found = {name: placed for name, placed in known.items() if placed is not None}
    if missing := [name for name in names if name not in found]:
        found |= await _read(tx, requester, missing, remembered)
    for placed in dict.fromkeys(found.values()):
        tx.write(_AS_REMEMBERED, placed.id, placed.version)
    return found


def enter(tx: Transaction, row: Enclosure, *, claimed: Collection[str] = ()) -> Sequence[Name]:
    """Put a new resource into its sender's directory with the next writes, under each identifier that nobody
    there carries, and give its names; they fail (Outrun) where one of the `claimed` is there already.
    """
    if row.type not in DIRECTORY_TYPES:
        return ()
    tokens = tuple(dict.fromkeys(row.identifiers))
    for token in tokens:
        tx.write(_CLAIM if token in claimed else _ENTER, row.requester, row.type, token, row.id)
    return [(row.type, token) for token in tokens]


async def _read(
    tx: Transaction, requester: str, names: Sequence[Name], remembered: dict[tuple[str, str, str], Placed]
) -> Mapping[Name, Placed]:
    kinds, tokens = [kind for kind, _ in names], [token for _, token in names]
    rows = await tx.fetch(_FIND, requester, kinds, tokens)
    found = {(row["type"], row["token"]): Placed(row["id"], row["version"]) for row in rows}
    if len(remembered) > _REMEMBERED:
        remembered.clear()
    for name in names:
        remembered.pop((requester, *name), None)
    remembered.update({(requester, *name): placed for name, placed in found.items()})
    return found
