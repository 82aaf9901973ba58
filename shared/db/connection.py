"""Connection: asyncpg's, that asks what PostgreSQL's own array types are once in a process.

asyncpg does not know `bigint[]` and its like by itself: each connection that meets one asks the server, by
a recursive statement over the catalogue that takes longer than anything else that a new connection does.

Invariant: only what is the same in every database is remembered: types whose ids PostgreSQL itself gives out.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final, cast

import asyncpg

# PostgreSQL's FirstNormalObjectId: ids from here on are given out by each database.
_FIRST_OF_A_DATABASE: Final = 16384
_told: dict[frozenset[int], list[asyncpg.Record]] = {}


@dataclass(frozen=True, slots=True)
class _NotSent:
    """In the place of the statement that asks: with a name, as it took nobody else's place on the server."""

    name: str = "not sent"


class DatabaseConnection(asyncpg.Connection):  # type: ignore[misc]
    """A connection to one database."""

    # asyncpg has no public way in; tests/integration/support/test_connections.py sees whether this one leads.
    async def _introspect_types(
        self,
        typeoids: Collection[int],
        timeout: float | None,  # noqa: ASYNC109
    ) -> tuple[Any, Any]:
        """Give what is known of these types, as rows of asyncpg's own statement."""
        wanted = frozenset(typeoids)
        if wanted in _told:
            return _told[wanted], _NotSent()
        told = await super()._introspect_types(typeoids, timeout)
        if max(wanted) < _FIRST_OF_A_DATABASE:
            _told[wanted] = told[0]
        return cast(tuple[Any, Any], told)
