"""One reader's stream of the feed's log, as server-sent events.

Invariants:
- Each entry is held against the reader's row scope when it is sent, with the memberships and consents of
  that moment; what the reader may not see leaves no trace but a gap in the numbers.
- The id of an entry is its offset in the log, the same on every replica.
- The comment `: now` says once that everything that stood in the log has been sent.
- A stream lives no longer than a token does, so whoever lost access cannot stay.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence

import msgspec

from services.notifications import queries
from services.notifications.rules import FeedEntry, Standing, may_see
from shared.auth.principal import Principal
from shared.clock import monotonic
from shared.events import log
from shared.events.topics import FEED
from shared.events.transport import Record
from shared.runtime import Runtime

PAGE = 200
RECENT = 500
POLL = 0.5
HEARTBEAT = 15.0
LIFETIME = 300.0

_decode = msgspec.json.Decoder(FeedEntry).decode


class LiveFeed:
    """The feed as one reader may see it."""

    def __init__(self, runtime: Runtime, *, reader: Principal, ending: asyncio.Event) -> None:
        self._runtime = runtime
        self._reader = reader
        self._ending = ending

    async def frames(self, seen: int | None) -> AsyncIterator[bytes]:
        """Give frames from behind entry `seen` on, until the stream's time is up or the server stops."""
        database = self._runtime.database
        with log.watch(database, FEED) as wake:
            opened = spoke = monotonic()
            position, reset = await self._begin(seen)
            yield reset if reset is not None else b": open\n\n"
            caught_up = False
            while not self._ending.is_set() and monotonic() - opened < LIFETIME:
                wake.clear()
                records = await log.read(database, FEED, offset=position, limit=PAGE)
                for frame in await self._visible(records):
                    spoke = monotonic()
                    yield frame
                if records:
                    position = records[-1].offset + 1
                    continue
                if not caught_up:
                    caught_up = True
                    yield b": now\n\n"
                if monotonic() - spoke >= HEARTBEAT:
                    spoke = monotonic()
                    yield b": still here\n\n"
                await wake.wait(at_most=POLL)

    async def _begin(self, seen: int | None) -> tuple[int, bytes | None]:
        extent = await log.extent(self._runtime.database, FEED)
        if seen is None:
            return max(extent.first, extent.end - RECENT), None
        if extent.first <= seen + 1 <= extent.end:
            return seen + 1, None
        begin = extent.first if seen + 1 < extent.first else extent.end
        return begin, _frame("reset", begin - 1, {"first": extent.first, "end": extent.end})

    async def _visible(self, records: Sequence[Record]) -> list[bytes]:
        if not records:
            return []
        entries = [(record.offset, _decode(record.value)) for record in records]
        async with self._runtime.database.transaction() as tx:
            teams = await queries.teams(tx, {entry.referral for _, entry in entries if entry.referral})
            consented = await queries.consented(tx, {entry.claim for _, entry in entries if entry.claim})
        return [
            _frame(entry.type, offset, entry.shown())
            for offset, entry in entries
            if may_see(
                entry,
                self._reader,
                Standing(
                    team=teams.get(entry.referral or "", frozenset()), consented=entry.claim in consented
                ),
            )
        ]


def _frame(event: str, number: int, data: object) -> bytes:
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (number, event.encode(), msgspec.json.encode(data))
