"""One reader's stream of the feed's log, as server-sent events.

Invariants:
- Each entry is held against the reader's row scope when it is sent, with the memberships and consents of
  that moment; what the reader may not see leaves no trace but a gap in the numbers.
- The id of an entry is its offset in the log, the same on every replica.
- The comment `: now` says once that everything that stood in the log has been sent.
- A stream lives no longer than a token does, so whoever lost access cannot stay; one whose person has signed
  out, or may not sign in any more, ends within 30 seconds. Looking is no act: it keeps no session alive.
- What is read is read together with the streams that stand at the same place (shared.py).
"""

import asyncio
from collections.abc import AsyncGenerator

from services.notifications.api.feed_reader import frame, shared_reader
from services.notifications.rules.feed import EVERYTHING, FeedFilter
from shared.auth.principal import Principal
from shared.clock import monotonic
from shared.errors import Unavailable
from shared.events.topics import FEED
from shared.events.transport import event_log
from shared.events.transport.base import Extent
from shared.runtime import Runtime

RECENT = 500
POLL = 0.5
HEARTBEAT = 15.0
LIFETIME = 300.0
SESSION_CHECKED_EVERY = 10.0


class LiveFeed:
    """The feed as one reader may see it."""

    def __init__(
        self,
        runtime: Runtime,
        *,
        reader: Principal,
        ending: asyncio.Event,
        wanted: FeedFilter = EVERYTHING,
    ) -> None:
        self._runtime = runtime
        self._reader = reader
        self._wanted = wanted
        self._ending = ending

    async def frames(self, seen: int | None) -> AsyncGenerator[bytes, None]:
        """Give frames from behind entry `seen` on, until the stream's time is up or the server stops."""
        database = self._runtime.database
        with event_log.watch(database, FEED) as wake, shared_reader(database) as shared:
            opened = spoke = checked = monotonic()
            extent = await event_log.extent(database, FEED)
            position, reset = _begin(extent, seen)
            yield reset if reset is not None else b": open\n\n"
            caught_up = False
            while not self._ending.is_set() and monotonic() - opened < LIFETIME:
                wake.clear()
                if monotonic() - checked >= SESSION_CHECKED_EVERY:
                    if not await self._may_go_on():
                        return
                    checked = monotonic()
                page = await shared.page(position)
                for entry in page.frames(self._reader, wanted=self._wanted):
                    spoke = monotonic()
                    yield entry
                position = page.behind
                if not page.is_last:
                    continue
                # A page read together with others may have been begun before this stream was opened.
                if not caught_up and position >= extent.end:
                    caught_up = True
                    yield b": now\n\n"
                if monotonic() - spoke >= HEARTBEAT:
                    spoke = monotonic()
                    yield b": still here\n\n"
                await wake.wait(at_most=POLL)

    async def _may_go_on(self) -> bool:
        """Tell whether the reader's session goes on; where nobody can say, the reader comes again."""
        try:
            return await self._runtime.verifier.is_live(self._reader)
        except Unavailable:
            return False


def _begin(extent: Extent, seen: int | None) -> tuple[int, bytes | None]:
    if seen is None:
        return max(extent.first, extent.end - RECENT), None
    if extent.first <= seen + 1 <= extent.end:
        return seen + 1, None
    begin = extent.first if seen + 1 < extent.first else extent.end
    return begin, frame("reset", begin - 1, {"first": extent.first, "end": extent.end})
