"""Keeping a resource: the bytes as they were received, with what is ours laid over the top level.

Invariants:
- `fill` is the only way that `version`, `last_updated` and `body` change.
- No version is older than the one before: who began earlier and got the lock later has the other's time.
- The newest version stands in its row alone, each earlier one in `resource_version`, where it came by being
  replaced: what is written once is stored once.
- A member that is not ours keeps its bytes: `250.50` stays `250.50`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

import msgspec
from pydantic import AwareDatetime

from shared.db import Outrun, Transaction
from shared.db.models import Resource, SharedRow, TableOf, table_of, values_of
from shared.fhir.instants import instant

_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ENCODER = msgspec.json.Encoder()


class EarlierVersion(SharedRow):
    """A version of a resource that another one has replaced."""

    __tablename__ = "resource_version"

    type: str
    id: str
    version: int
    last_updated: AwareDatetime | None
    body: bytes


def fill(
    row: Resource,
    resource: Mapping[str, Any] | bytes,
    *,
    at: datetime,
    overlay: Mapping[str, Any] | None = None,
) -> None:
    """Give a row its next version, without writing it: id and meta laid over `resource`, then `overlay`.

    `resource` is what was received (bytes) or rendered (a mapping); `overlay` holds top-level members that we
    own, a value of None removes the member. `meta.profile`, `meta.tag` and `meta.security` of the sender
    stay; `meta.versionId` and `meta.lastUpdated` (UTC, care time, never before that of the version before)
    are ours.
    """
    members: Mapping[str, Any] = _MEMBERS.decode(resource) if isinstance(resource, bytes) else resource
    at = at if row.last_updated is None else max(at, row.last_updated)
    row.version += 1
    row.last_updated = at
    ours = {"id": row.fhir_id, "meta": _meta(members.get("meta"), version=row.version, at=at)}
    row.body = _laid_over(members, {**ours, **overlay} if overlay else ours)


async def insert(
    tx: Transaction,
    row: Resource,
    resource: Mapping[str, Any] | bytes,
    *,
    at: datetime,
    overlay: Mapping[str, Any] | None = None,
) -> None:
    """Store a new resource as version 1 (see `fill`)."""
    fill(row, resource, at=at, overlay=overlay)
    await tx.insert(row)


def earlier_version(row: Resource) -> EarlierVersion:
    """Keep a filled version that a new resource passed on its way to the one in its row."""
    return EarlierVersion(
        type=_type_of(row.body),
        id=str(row.id),
        version=row.version,
        last_updated=row.last_updated,
        body=row.body,
    )


async def update(
    tx: Transaction,
    row: Resource,
    resource: Mapping[str, Any] | bytes,
    *,
    at: datetime,
    overlay: Mapping[str, Any] | None = None,
    **changes: Any,
) -> None:
    """Store the next version of a resource, with `changes` of its other columns; the one before goes to the
    history.

    Raises Outrun where the row is not in the database as it was read.
    """
    before = row.version
    for name, value in changes.items():
        setattr(row, name, value)
    fill(row, resource, at=at, overlay=overlay)
    names = ("version", "last_updated", "body", *changes)
    values = values_of(row, ("id", *names))
    sql = _update(table_of(type(row)), names)
    if await tx.value(sql, *values, _type_of(row.body), before) is None:
        raise Outrun(f"this {type(row).__name__} was changed by somebody else")


async def update_all(tx: Transaction, rows: Sequence[tuple[Resource, int]], *names: str) -> None:
    """Write the next versions of resources of one table that are locked and filled, with these columns.

    Each row comes with the version that the database has. Raises Outrun where one has another version there.
    """
    if not rows:
        return
    written = ("version", "last_updated", "body", *names)
    sql = _update(table_of(type(rows[0][0])), written)
    kind = _type_of(rows[0][0].body)
    values = [(*values_of(row, ("id", *written)), kind, before) for row, before in rows]
    if len(await tx.records_of_many(sql, values)) != len(rows):
        raise Outrun(f"one {kind} was changed by somebody else")


async def keep(tx: Transaction, row: Resource) -> bool:
    """Keep a copy of another service's resource, as it came; the version before goes to the history.

    Returns whether it was kept: not where this version or a newer one is there.
    """
    table = table_of(type(row))
    values = values_of(row, table.columns)
    return await tx.value(_keep(table), *values, _type_of(row.body)) is not None


@cache
def _keep(table: TableOf) -> str:
    """Write the statement that keeps a newer version and its predecessor, or does neither."""
    at = {name: place for place, name in enumerate(table.columns, 1)}
    copied = [name for name in table.columns if name not in ("id", "event_version", "event_at")]
    sets = ", ".join(f'"{name}" = excluded."{name}"' for name in copied)
    return f"""
    WITH moved AS (
      INSERT INTO resource_version (type, id, version, last_updated, body)
      SELECT ${len(at) + 1}::text, id::text, version, last_updated, body FROM "{table.name}"
      WHERE id = ${at["id"]} AND version < ${at["version"]} ON CONFLICT DO NOTHING
    )
    {table.insert()} ON CONFLICT (id) DO UPDATE SET {sets}
    WHERE "{table.name}".version < excluded.version RETURNING version
    """  # noqa: S608


@cache
def _update(table: TableOf, names: tuple[str, ...]) -> str:
    """Write the statement that keeps the version before and changes the row, or does neither."""
    resource_type, before = len(names) + 2, len(names) + 3
    return f"""
    WITH moved AS (
      INSERT INTO resource_version (type, id, version, last_updated, body)
      SELECT ${resource_type}::text, id::text, version, last_updated, body FROM "{table.name}"
      WHERE id = $1 AND version = ${before} ON CONFLICT DO NOTHING
    )
    {table.update(names)} AND version = ${before} RETURNING version
    """  # noqa: S608


def overlaid(body: bytes, members: Mapping[str, Any]) -> bytes:
    """Lay members over the top level of a JSON object and keep the bytes of every other member.

    A member that is there keeps its place, a new one comes after the others, None removes it.
    """
    return _laid_over(_MEMBERS.decode(body), members)


def _laid_over(members: Mapping[str, Any], ours: Mapping[str, Any]) -> bytes:
    laid: dict[str, Any] = {**members, **ours}
    if None in ours.values():
        laid = {name: value for name, value in laid.items() if value is not None}
    return _ENCODER.encode(laid)


class _TypeOnly(msgspec.Struct):
    resourceType: str


def _type_of(body: bytes) -> str:
    return msgspec.json.decode(body, type=_TypeOnly).resourceType


def _meta(theirs: Any, *, version: int, at: datetime) -> dict[str, Any]:
    kept = _MEMBERS.decode(theirs) if isinstance(theirs, msgspec.Raw) else theirs or {}
    return {**kept, "versionId": str(version), "lastUpdated": instant(at)}
