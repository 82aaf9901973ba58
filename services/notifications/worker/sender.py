"""The loop that sends: claim a handful under a lease, then send one outside any transaction and record it.

Each message is recorded before the next one goes, so a crash can repeat only the one in flight: its lease
runs out, and it goes again under the same id. At least once to the server, and once in our books.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from services.notifications import queries, use_cases
from services.notifications.states import Channel
from services.notifications.use_cases.record import Result
from services.notifications.use_cases.take import Lease, Outgoing
from shared import failpoints
from shared.clock import machine_now, monotonic
from shared.ids import new_id, new_secret
from shared.runtime import Runtime

BATCH = 20
# Without a server nothing is leased: what is due is ended, and only the transaction bounds it.
UNSENT = 200
LEASE = timedelta(minutes=5)
# In seconds of machine time: without a server messages end as they are written, and only what was left open
# by somebody who had one is to be found.
LOOKS_AGAIN_AFTER = 1.0


class Carrier(Protocol):
    """The way out of a channel: a mail server, a gateway for text messages."""

    def send(
        self, outgoing: Sequence[Outgoing], *, at: datetime
    ) -> AsyncGenerator[tuple[UUID, Result], None]:
        """Hand messages over, dated `at`; tell what became of each before the next one goes, never raise."""
        ...


class MessageSender:
    """Sends the messages of a channel that are due; `way` is None where there is no server for it."""

    def __init__(
        self, runtime: Runtime, *, channel: Channel, way: Carrier | None, lease: timedelta = LEASE
    ) -> None:
        self.name = f"notifications.sending.{channel}"
        self._runtime = runtime
        self._channel = channel
        self._way = way
        self._lease = lease
        self._found_none_at: float | None = None

    async def run_once(self) -> bool:
        """Send a handful of messages; tell whether any was due."""
        if self._looked_just_now():
            return False
        found, outgoing = await self._take()
        self._found_none_at = None if found else monotonic()
        if outgoing and self._way is not None:
            await self._send(self._way, {message.id: message for message in outgoing})
        return found > 0

    def _looked_just_now(self) -> bool:
        """Tell whether nothing can have come since the last look found nothing."""
        if self._way is not None or self._found_none_at is None:
            return False
        return monotonic() - self._found_none_at < LOOKS_AGAIN_AFTER

    async def pending(self, now: datetime) -> int:
        """Count the messages that are due at this care time and not done."""
        return await queries.messages.due(self._runtime.database, channel=self._channel, now=now)

    async def next_due(self) -> datetime | None:
        """Tell when the next message is due."""
        return await queries.messages.next_due(self._runtime.database, channel=self._channel)

    async def _take(self) -> tuple[int, list[Outgoing]]:
        now = machine_now()
        lease = Lease(token=new_id(), machine_now=now, machine_until=now + self._lease)
        async with self._runtime.database.transaction() as tx:
            return await use_cases.take.run(
                self._runtime.context(cause=None),
                tx,
                channel=self._channel,
                lease=lease,
                limit=BATCH if self._way is not None else UNSENT,
                has_way=self._way is not None,
                new_secret=new_secret,
            )

    async def _send(self, way: Carrier, outgoing: Mapping[UUID, Outgoing]) -> None:
        failpoints.reach("leased_not_sent")
        messages = list(outgoing.values())
        async with aclosing(way.send(messages, at=self._runtime.clock.now())) as results:
            async for message, result in results:
                await self._record(outgoing[message], result)

    async def _record(self, sent: Outgoing, result: Result) -> None:
        failpoints.reach("sent_not_recorded")
        async with self._runtime.database.transaction() as tx:
            await use_cases.record.run(self._runtime.context(cause=None), tx, sent, result)
        failpoints.reach("recorded")
