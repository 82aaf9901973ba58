"""Letting time pass for one thing: the clinic of the failure tests lives by the real clock."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count

import asyncpg

from shared.db import Database
from tests.support.sql import sql

_HALF_A_YEAR = timedelta(weeks=26)


async def days_pass(scheduling: Database, appointment: str) -> None:
    """Move an appointment and what it takes half a year back or more, to where nothing else stands."""
    for weeks in count():
        try:
            await _move_back(scheduling, appointment, _HALF_A_YEAR + timedelta(weeks=weeks))
        except asyncpg.ExclusionViolationError:
            continue
        return


async def _move_back(scheduling: Database, appointment: str, back: timedelta) -> None:
    async with scheduling.transaction() as tx:
        found = await sql(tx, "SELECT body FROM appointment WHERE id = :id FOR UPDATE", id=appointment)
        body = json.loads(bytes(found.scalar()))
        for member in ("start", "end"):
            body[member] = _instant(datetime.fromisoformat(body[member]) - back)
        await sql(
            tx,
            "UPDATE appointment SET starts_at = starts_at - CAST(:back AS interval),"
            " ends_at = ends_at - CAST(:back AS interval), body = :body WHERE id = :id",
            back=back,
            body=json.dumps(body).encode(),
            id=appointment,
        )
        await sql(
            tx,
            "UPDATE occupancy SET during = tstzrange(lower(during) - CAST(:back AS interval),"
            " upper(during) - CAST(:back AS interval)) WHERE appointment = :id",
            back=back,
            id=appointment,
        )


async def leases_end(notifications: Database) -> None:
    """Let five minutes pass for whoever died while sending: its leases are over."""
    async with notifications.transaction() as tx:
        await sql(
            tx,
            "UPDATE notification SET machine_lease_until = now() - interval '1 second'"
            " WHERE machine_lease_until IS NOT NULL",
        )


async def timers_fall_due(database: Database, *kinds: str) -> int:
    """Let the timers of these kinds fall due, and tell how many there are."""
    while True:
        try:
            return await _moved_into_the_past(database, kinds)
        except asyncpg.DeadlockDetectedError:
            # The service moves timers of its own meanwhile, in another order.
            continue


async def _moved_into_the_past(database: Database, kinds: Sequence[str]) -> int:
    async with database.transaction() as tx:
        return await tx.run(
            "UPDATE timer SET due_at = now() - interval '1 second' WHERE kind = ANY($1) AND due_at > now()",
            list(kinds),
        )


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
