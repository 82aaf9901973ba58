"""The versions of one resource, in pages from the newest on (R4 http.html 3.1.0.13)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, column, desc, func, select, table

from shared.db import Transaction
from shared.db.models import StoredResource
from shared.errors import Invalid
from shared.fhir import search_values
from shared.fhir.search_query import read_count

_VERSIONS = table(
    "resource_version",
    column("type"),
    column("id"),
    column("version"),
    column("last_updated"),
    column("body"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryQuery:
    """What is asked for: at most `count` versions, of those written since then, before a version."""

    count: int
    since: datetime | None = None
    before: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryPage:
    """Versions with their bodies, newest first, how many there are in all, the `_after` of the next page."""

    versions: Sequence[tuple[int, bytes]]
    total: int
    next: str | None


def parse(query: Sequence[tuple[str, str]]) -> HistoryQuery:
    """Read `_count`, `_since` and `_after`; raises Invalid for a bad value of one."""
    asked = dict(query)
    since = before = None
    if "_since" in asked:
        since = search_values.read("date", asked["_since"], name="_since", types=()).low
    if (after := asked.get("_after")) is not None:
        if not (after.isascii() and after.isdigit() and len(after) < 9):
            raise Invalid("this is no token of ours", expression="_after")
        before = int(after)
    return HistoryQuery(count=read_count(asked.get("_count")), since=since, before=before)


async def run(
    tx: Transaction, query: HistoryQuery, row: StoredResource, *, resource_type: str
) -> HistoryPage:
    """Give one page of the versions up to the one that the row is: it may be replaced meanwhile."""
    of_row = _earlier(row, resource_type)
    if query.since is not None:
        of_row = (*of_row, _VERSIONS.c.last_updated >= query.since)
    found: list[tuple[int, bytes]] = []
    is_newest_asked = query.since is None or (row.last_updated or query.since) >= query.since
    if is_newest_asked and (query.before is None or row.version < query.before):
        found.append((row.version, row.body))
    wanted = select(_VERSIONS.c.version, _VERSIONS.c.body).where(*of_row)
    if query.before is not None:
        wanted = wanted.where(_VERSIONS.c.version < query.before)
    rest = await tx.select(wanted.order_by(desc(_VERSIONS.c.version)).limit(query.count + 1))
    found += [(number, bytes(body)) for number, body in rest]
    page = found[: query.count]
    more = len(found) > query.count
    total = len(found)
    if more or query.before is not None:
        [counted] = await tx.select(select(func.count()).select_from(_VERSIONS).where(*of_row))
        total = int(counted[0]) + is_newest_asked
    return HistoryPage(versions=page, total=total, next=str(page[-1][0]) if more and page else None)


async def earlier_version(
    tx: Transaction, row: StoredResource, version: int, *, resource_type: str
) -> bytes | None:
    """Give one of the versions before the one that the row is."""
    statement = select(_VERSIONS.c.body).where(*_earlier(row, resource_type), _VERSIONS.c.version == version)
    found: Sequence[Any] = await tx.select(statement)
    return bytes(found[0][0]) if found else None


def _earlier(row: StoredResource, resource_type: str) -> tuple[ColumnElement[bool], ...]:
    return (
        _VERSIONS.c.type == resource_type,
        _VERSIONS.c.id == str(row.history_id or row.id),
        _VERSIONS.c.version < row.version,
    )
