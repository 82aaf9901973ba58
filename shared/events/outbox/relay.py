"""The relay: moves events from the outbox to the transport, in order, and deletes what arrived.

Invariants:
- One relay per service works at a time (leader_election.py); a deposed one can neither append nor delete.
- Rows go in the order of their ids, and a row is deleted only after the transport has it for good. There is
  no cursor: a row that becomes visible late is simply read later (watermark.py).
- A failing transport or database costs time, never events.
- What lies in the same database as the outbox goes there by one statement (moving.py), before the rest is
  sent: between topics there is no order, and what cannot be sent keeps nothing back that stays. Each way has
  a watermark of its own, because what one has done says nothing of the other's rows.
"""

from collections import Counter

from shared import failpoints
from shared.db import Database
from shared.events import counters
from shared.events.outbox.leader_election import LeaderElection, NotLeader
from shared.events.outbox.moving import MoveResult, TopicSubset
from shared.events.outbox.watermark import Watermark
from shared.events.polling_loop import NET, STANDBY
from shared.events.topics import topics_of
from shared.events.transport import event_log
from shared.events.transport.base import OutboxRow, Transport

BATCH = 500

_WAITING = """
SELECT id, event_id, topic, key, headers, value,
       pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS oldest_running,
       pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS next_to_run
FROM outbox WHERE id > $1 AND topic <> ALL ($3::text[]) ORDER BY id LIMIT $2
"""


class Relay:
    """One service's relay in this process."""

    def __init__(self, database: Database, transport: Transport) -> None:
        self.election = LeaderElection(database, name="relay")
        self._database = database
        self._transport = transport
        self._in_place = transport.in_place(database.name)
        self._nothing_travels = self._in_place == topics_of(database.name)
        self._moving, self._sending = Watermark(), Watermark()

    async def step(self) -> bool:
        """Send one batch if we lead; return whether there may be more."""
        try:
            if not await self.election.acquire():
                return False
            if not self._in_place:
                return await self._send()
            moved = await self._move()
            more = moved.records == BATCH
            if moved.more_pending:
                more |= await self._send()
            return more
        except BaseException:
            await self.election.release()
            raise

    def pause(self) -> float:
        """Return for how many seconds nobody need ask unless woken: who does not lead asks whether it may."""
        return STANDBY if self.election.epoch is None else NET

    async def stop(self) -> None:
        """Return the leadership back."""
        await self.election.release()

    async def _move(self) -> MoveResult:
        failpoints.reach("before_send")
        subset = None
        if not self._nothing_travels:
            subset = TopicSubset(topics=self._in_place, others_above=self._sending.begin())
        read = event_log.read_here(self._database)
        moved = await self.election.move(above=self._moving.begin(), limit=BATCH, read=read, subset=subset)
        if not moved.reigns:
            raise NotLeader("a later epoch of the relay has begun")
        self._saw(
            moved.newest,
            all_that_stays=moved.records < BATCH,
            all_that_travels=not moved.more_pending,
            snapshot=(moved.oldest_running, moved.next_to_run),
        )
        if moved.records:
            failpoints.reach("relayed")
            counters.sent(self._database.name, moved.by_type)
            for topic in moved.topics:
                event_log.appended(self._database, topic, records=moved.read.get(topic, ()))
        return moved

    async def _send(self) -> bool:
        driver = await self.election.driver()
        found = await driver.fetch(_WAITING, self._sending.begin(), BATCH, sorted(self._in_place))
        if not found:
            return False
        rows = [
            OutboxRow(
                id=row["id"],
                event_id=row["event_id"],
                topic=row["topic"],
                key=row["key"],
                headers=row["headers"],
                value=row["value"],
            )
            for row in found
        ]
        await self._deliver(rows)
        self._saw(
            rows[-1].id,
            all_that_stays=False,
            all_that_travels=len(rows) < BATCH,
            snapshot=(found[0]["oldest_running"], found[0]["next_to_run"]),
        )
        return len(rows) == BATCH

    def _saw(
        self, newest: int | None, *, all_that_stays: bool, all_that_travels: bool, snapshot: tuple[int, int]
    ) -> None:
        """Tell both ways the newest id, and each whether that was all of its own that there was."""
        oldest_running, next_to_run = snapshot
        for mark, everything in ((self._moving, all_that_stays), (self._sending, all_that_travels)):
            mark.looked(
                newest=newest, everything=everything, oldest_running=oldest_running, next_to_run=next_to_run
            )

    async def _deliver(self, rows: list[OutboxRow]) -> None:
        async with self._database.transaction() as tx:
            await self.election.check(tx)
            failpoints.reach("before_send")
            await self._transport.send(tx, rows)
            failpoints.reach("acked_not_deleted")
            await tx.run("DELETE FROM outbox WHERE id = ANY($1::bigint[])", [row.id for row in rows])
            failpoints.reach("deleted_not_committed")
        failpoints.reach("relayed")
        counters.sent(self._database.name, Counter(row.headers.get("ce_type", "") for row in rows))
