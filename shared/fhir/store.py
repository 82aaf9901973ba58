"""Keeping a resource: the bytes as they were received, with what is ours laid over the top level.

Invariants:
- `put` is the only way that `version`, `last_updated` and `body` change; each version stands in
  `resource_version`.
- A member that is not ours keeps its bytes: `250.50` stays `250.50`.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from shared.db import ResourceRow, Transaction

_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ENCODER = msgspec.json.Encoder()

_RECORD = (
    "INSERT INTO resource_version (type, id, version, last_updated, body)"
    " VALUES (:type, :id, :version, :last_updated, :body)"
)


async def put(
    tx: Transaction,
    row: ResourceRow,
    resource: Mapping[str, Any] | bytes,
    *,
    at: datetime,
    overlay: Mapping[str, Any] | None = None,
) -> None:
    """Give the row its next version: id and meta laid over `resource`, then `overlay`; recorded in the
    history.

    `resource` is what was received (bytes) or rendered (a mapping); `overlay` holds top-level members that we
    own, a value of None removes the member. The row is added to the transaction and flushed, so its other
    columns are set before. `meta.profile`, `meta.tag` and `meta.security` of the sender stay;
    `meta.versionId` and `meta.lastUpdated` (UTC, care time) are ours.
    """
    body = resource if isinstance(resource, bytes) else _ENCODER.encode(resource)
    members = _MEMBERS.decode(body)
    row.version += 1
    row.last_updated = at
    ours = {"id": str(row.id), "meta": _meta(members.get("meta"), version=row.version, at=at)}
    row.body = _laid_over(members, ours | dict(overlay or {}))
    tx.add(row)
    await tx.sql(
        _RECORD,
        type=msgspec.json.decode(members["resourceType"], type=str),
        id=str(row.id),
        version=row.version,
        last_updated=at,
        body=row.body,
    )


def overlaid(body: bytes, members: Mapping[str, Any]) -> bytes:
    """Lay members over the top level of a JSON object and keep the bytes of every other member.

    A member that is there keeps its place, a new one comes after the others, None removes it.
    """
    return _laid_over(_MEMBERS.decode(body), members)


def _laid_over(members: dict[str, msgspec.Raw], ours: Mapping[str, Any]) -> bytes:
    laid: dict[str, Any] = {**members, **ours}
    return _ENCODER.encode({name: value for name, value in laid.items() if value is not None})


def _meta(theirs: msgspec.Raw | None, *, version: int, at: datetime) -> dict[str, Any]:
    kept = _MEMBERS.decode(theirs) if theirs else {}
    updated = at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {**kept, "versionId": str(version), "lastUpdated": updated}
