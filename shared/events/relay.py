"""The relay: moves events from the outbox to the transport, in order, and deletes what arrived.

Invariants:
- One relay per service works at a time (leadership.py); a deposed one can neither append nor delete.
- Rows go in the order of their ids, and a row is deleted only after the transport has it for good. There is
  no cursor: a row that becomes visible late is simply read later (watermark.py).
- A failing transport or database costs time, never events.
- Where the topics lie in the same database as the outbox, one statement moves a batch (moving.py).
"""

import msgspec

from shared import failpoints
from shared.db import Database
from shared.events import counters
from shared.events.leadership import Deposed, Leadership
from shared.events.transport import MovesInPlace, OutboxRow, Transport
from shared.events.watermark import Watermark

BATCH = 500

_WAITING = """
SELECT id, event_id, topic, key, headers::text AS headers, value,
       pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS oldest_running,
       pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS next_to_run
FROM outbox WHERE id > $1 ORDER BY id LIMIT $2
"""

_headers = msgspec.json.Decoder(dict[str, str]).decode


class Relay:
    """One service's relay in this process."""

    def __init__(self, database: Database, transport: Transport) -> None:
        self.leadership = Leadership(database, name="relay")
        self._database = database
        self._transport = transport
        self._in_place = transport if isinstance(transport, MovesInPlace) else None
        self._watermark = Watermark()

    async def step(self) -> bool:
        """Send one batch if we lead; tell whether there may be more."""
        try:
            if not await self.leadership.hold():
                return False
            if self._in_place is not None:
                return await self._move_in_place(self._in_place)
            return await self._send()
        except BaseException:
            await self.leadership.let_go()
            raise

    async def stop(self) -> None:
        """Give the leadership back."""
        await self.leadership.let_go()

    async def _move_in_place(self, transport: MovesInPlace) -> bool:
        failpoints.reach("before_send")
        moved = await self.leadership.move(above=self._watermark.begin(), limit=BATCH)
        if not moved.reigns:
            raise Deposed("a later epoch of the relay has begun")
        self._watermark.looked(
            newest=moved.newest,
            everything=moved.records < BATCH,
            oldest_running=moved.oldest_running,
            next_to_run=moved.next_to_run,
        )
        if moved.records:
            failpoints.reach("relayed")
            counters.sent(self._database.name, moved.by_type)
            transport.moved(self._database, moved.topics)
        return moved.records == BATCH

    async def _send(self) -> bool:
        driver = await self.leadership.driver()
        found = await driver.fetch(_WAITING, self._watermark.begin(), BATCH)
        if not found:
            return False
        rows = [
            OutboxRow(
                id=row["id"],
                event_id=row["event_id"],
                topic=row["topic"],
                key=row["key"],
                headers=_headers(row["headers"]),
                value=row["value"],
            )
            for row in found
        ]
        await self._deliver(rows)
        self._watermark.looked(
            newest=rows[-1].id,
            everything=len(rows) < BATCH,
            oldest_running=found[0]["oldest_running"],
            next_to_run=found[0]["next_to_run"],
        )
        return len(rows) == BATCH

    async def _deliver(self, rows: list[OutboxRow]) -> None:
        async with self._database.transaction() as tx:
            await self.leadership.check(tx)
            failpoints.reach("before_send")
            await self._transport.send(tx, rows)
            failpoints.reach("acked_not_deleted")
            driver = await tx.driver()
            await driver.execute("DELETE FROM outbox WHERE id = ANY($1::bigint[])", [row.id for row in rows])
            failpoints.reach("deleted_not_committed")
        failpoints.reach("relayed")
        counters.sent(self._database.name, _by_type(rows))


def _by_type(rows: list[OutboxRow]) -> dict[str, int]:
    found: dict[str, int] = {}
    for row in rows:
        event_type = row.headers.get("ce_type", "")
        found[event_type] = found.get(event_type, 0) + 1
    return found
