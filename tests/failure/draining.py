"""Waiting until a clinic that runs elsewhere has nothing left on its way, read from its databases."""

import asyncio

from shared.clock import monotonic
from shared.db import Database
from tests.failure.auditor import LEFT

_PROGRESS = (
    "SELECT (SELECT coalesce(sum(next_offset), 0) FROM event_log_end)"
    " + (SELECT coalesce(sum(next_offset), 0) FROM consumer_position)"
)
_DUE = ("notification WHERE next_attempt_at <= now()",)


async def drain(databases: dict[str, Database], *, within: float = 90.0) -> None:
    """Wait until nothing is on its way in two readings in a row; the auditor says what is left in the end."""
    deadline, before = monotonic() + within, -1
    while monotonic() < deadline:
        left, ends = 0, 0
        for service, database in databases.items():
            async with database.transaction() as tx:
                for statement in (*LEFT.values(), *(_DUE if service == "notifications" else ())):
                    left += int((await tx.sql(f"SELECT count(*) FROM {statement}")).scalar_one())
                ends += int((await tx.sql(_PROGRESS)).scalar_one())
        if left == 0 and ends == before:
            return
        before = ends if left == 0 else -1
        await asyncio.sleep(0.5)
