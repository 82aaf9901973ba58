"""The relay: moves events from the outbox to the transport, in order, and deletes what arrived.

Invariants:
- One relay per service works at a time (leadership.py); a deposed one can neither append nor delete.
- Rows go in the order of their ids, and a row is deleted only after the transport has it for good. There is
  no cursor: a row that becomes visible late is simply read later.
- A failing transport or database costs time, never events.
"""

import json

from shared import failpoints
from shared.db import Database
from shared.events import counters
from shared.events.leadership import Leadership
from shared.events.reading import fetch
from shared.events.transport import OutboxRow, Transport

BATCH = 500


class Relay:
    """One service's relay in this process."""

    def __init__(self, database: Database, transport: Transport) -> None:
        self.leadership = Leadership(database, name="relay")
        self._database = database
        self._transport = transport

    async def step(self) -> bool:
        """Send one batch if we lead; tell whether there may be more."""
        try:
            if not await self.leadership.hold():
                return False
            rows = await self._waiting()
            if rows:
                await self._move(rows)
            return len(rows) == BATCH
        except BaseException:
            await self.leadership.let_go()
            raise

    async def stop(self) -> None:
        """Give the leadership back."""
        await self.leadership.let_go()

    async def _waiting(self) -> list[OutboxRow]:
        rows = await fetch(
            self._database,
            "SELECT id, event_id, topic, key, headers::text AS headers, value"
            " FROM outbox ORDER BY id LIMIT $1",
            BATCH,
        )
        return [OutboxRow(**(dict(row) | {"headers": json.loads(row["headers"])})) for row in rows]

    async def _move(self, rows: list[OutboxRow]) -> None:
        async with self._database.transaction() as tx:
            await self.leadership.check(tx)
            failpoints.reach("before_send")
            await self._transport.send(tx, rows)
            failpoints.reach("acked_not_deleted")
            driver = await tx.driver()
            await driver.execute("DELETE FROM outbox WHERE id = ANY($1::bigint[])", [row.id for row in rows])
            failpoints.reach("deleted_not_committed")
        failpoints.reach("relayed")
        counters.sent(self._database.name, rows)
