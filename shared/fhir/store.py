"""Keeping a resource: the bytes as they were received, with what is ours laid over the top level.

Invariants:
- `put` is the only way that `version`, `last_updated` and `body` change; each version stands in
  `resource_version`.
- A member that is not ours keeps its bytes: `250.50` stays `250.50`.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shared.db import ResourceRow, Transaction


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
    own, a value of None removes the member. The row is added to the transaction. `meta.profile`, `meta.tag`
    and `meta.security` of the sender stay; `meta.versionId` and `meta.lastUpdated` (UTC, care time) are ours.
    """
    raise NotImplementedError


def overlaid(body: bytes, members: Mapping[str, Any]) -> bytes:
    """Lay members over the top level of a JSON object and keep the bytes of every other member."""
    raise NotImplementedError
