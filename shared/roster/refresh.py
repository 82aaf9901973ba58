"""How a process learns of a roster: by its own commit, by a NOTIFY of another's, or by looking.

Invariant: what nobody said or heard costs at most the pause of a loop, which looks for newer revisions.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from shared.clinic.current import CurrentClinic
from shared.context import Context
from shared.db import Database, Transaction
from shared.events.polling_loop import PollingLoop
from shared.roster import rows
from shared.roster.rows import RosterRow


class RosterRefresh:
    """Brings the clinic of a process to the rosters that its service keeps."""

    def __init__(self, database: Database, current: CurrentClinic) -> None:
        self._database = database
        self._current = current

    async def step(self) -> bool:
        """Lay over what is newer; there is never more to do at once."""
        found = await rows.newer(self._database, self._current.revisions)
        self._current.replace(rows.revisions(found))
        return False

    def loop(self) -> PollingLoop:
        """Make the loop that looks again and again, woken by whoever says that a roster has changed."""
        loop = PollingLoop("roster", self.step)
        self._database.wake_roster = loop.wake.set
        return loop


def after_commit(ctx: Context, tx: Transaction, row: RosterRow) -> None:
    """Lay a roster over once it is committed, in this process at once and soon in the others."""
    found = rows.revisions([row])

    def tell() -> None:
        if ctx.current is not None:
            ctx.current.replace(found)
        tx.database.tell_roster()

    tx.after_commit(f"roster {row.site}", tell)


@asynccontextmanager
async def refreshed(database: Database, current: CurrentClinic) -> AsyncIterator[None]:
    """Keep the clinic of a process without a worker at its newest rosters, for the duration of the block."""
    refresh = RosterRefresh(database, current)
    await refresh.step()
    loop = refresh.loop()
    task = asyncio.create_task(loop.run(), name=f"{database.name} roster")
    try:
        yield
    finally:
        loop.stop()
        await asyncio.gather(task, return_exceptions=True)
