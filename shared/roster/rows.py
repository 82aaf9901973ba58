"""The table of rosters, the same in every service.

Invariants:
- A site has one row, whose id follows from the site, so that it is the same in every service and orders the
  events of a site.
- `revision` is dense from 1. A row is never replaced by an older revision, nor by itself.
- Whoever makes a revision has locked the row, or has just inserted it.
"""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID, uuid5

from pydantic import AwareDatetime

from shared.clinic.roster import SiteRoster
from shared.db import Database, Transaction
from shared.db.models import Aggregate, SharedRow

_NAMESPACE = UUID("0a6e2f0c-3a0d-5d43-9a55-0d0c5f0e9b21")

_ALL = "SELECT * FROM roster ORDER BY site"
_SEEN = "SELECT * FROM roster WHERE site = $1"
_LOCKED = f"{_SEEN} FOR UPDATE"
_NEWER = "SELECT * FROM roster WHERE revision > coalesce(($1::jsonb ->> site)::bigint, 0) ORDER BY site"
_INSERT = """
INSERT INTO roster (id, event_version, event_at, site, revision, document, changed_at)
VALUES ($1, 0, NULL, $2, $3, $4, $5) ON CONFLICT DO NOTHING RETURNING site
"""
_KEEP = """
INSERT INTO roster (id, event_version, event_at, site, revision, document, changed_at)
VALUES ($1, 0, NULL, $2, $3, $4, $5)
ON CONFLICT (site) DO UPDATE SET revision = excluded.revision, document = excluded.document,
  changed_at = excluded.changed_at
WHERE roster.revision < excluded.revision RETURNING site
"""


class RosterRow(Aggregate, SharedRow):
    """The roster of a site, with its revision."""

    __tablename__ = "roster"

    site: str
    revision: int
    document: dict[str, Any]
    changed_at: AwareDatetime

    @property
    def roster(self) -> SiteRoster:
        """The roster as it is kept; raises ValidationError for one that a newer version wrote."""
        return SiteRoster.model_validate(self.document)


def row_of(roster: SiteRoster, *, revision: int, at: AwareDatetime) -> RosterRow:
    """Make the row of a roster."""
    return RosterRow(
        id=uuid5(_NAMESPACE, roster.site),
        site=roster.site,
        revision=revision,
        document=roster.document(),
        changed_at=at,
    )


async def insert(tx: Transaction, row: RosterRow) -> bool:
    """Insert a first roster, and return whether the site had none; waits for who inserts one."""
    values = (row.id, row.site, row.revision, row.document, row.changed_at)
    return await tx.value(_INSERT, *values) is not None


async def keep(tx: Transaction, row: RosterRow) -> bool:
    """Keep a copy, and return whether it was newer than what was kept."""
    values = (row.id, row.site, row.revision, row.document, row.changed_at)
    return await tx.value(_KEEP, *values) is not None


async def locked(tx: Transaction, site: str) -> RosterRow | None:
    """Lock the roster of a site, as it is now."""
    return await tx.row(RosterRow, _LOCKED, site)


async def seen(tx: Transaction, site: str) -> RosterRow | None:
    """Read the roster of a site, without a lock."""
    return await tx.row(RosterRow, _SEEN, site)


async def everything(tx: Transaction) -> list[RosterRow]:
    """Read the rosters of all sites, without a lock."""
    return await tx.rows(RosterRow, _ALL)


async def newer(database: Database, known: Mapping[str, int]) -> list[RosterRow]:
    """Read the rosters that are newer than these revisions, by site, without a transaction."""
    return [RosterRow(**record) for record in await database.fetch(_NEWER, dict(known))]


def revisions(rows: Iterable[RosterRow]) -> list[tuple[int, SiteRoster]]:
    """Return rosters with their revisions, as a clinic takes them."""
    return [(row.revision, row.roster) for row in rows]
