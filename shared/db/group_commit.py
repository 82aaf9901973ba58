"""Group commit: what several transactions are about to write at the same moment goes as one statement.

Invariants:
- Only a transaction that is nothing but one statement of new rows is put together with others
  (`writing.only_adds`): who else stands in the statement changes nothing of what it writes.
- Nobody waits for a clock: a group goes as soon as the loop has turned once and nobody has joined it. Who is
  alone goes at once; where requests wait for the processor anyway, their writes come together.
- A group that PostgreSQL refuses has written nothing: each of it then goes alone and gets its own answer.
  Where the connection is lost nobody knows what was written, and all are told so.
- Who gives up waiting takes nobody else's write away.
"""

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import asyncpg

from shared.db import writing
from shared.db.connection import TakenConnection
from shared.db.pool import LOST
from shared.db.writing import Batch, Part

if TYPE_CHECKING:
    from shared.db.database import Database

_MOST = 16


@dataclass
class _Group:
    batches: list[Batch] = field(default_factory=list)
    sent: "asyncio.Task[bool]" = field(init=False)


class GroupCommit:
    """The groups of one database that are coming together: for each set of parts at most one."""

    def __init__(self, database: "Database") -> None:
        self._database = database
        self._open: dict[frozenset[Part], _Group] = {}

    async def write(self, batch: Batch) -> bool:
        """Write a batch durably together with what comes at the same moment; False where nothing was written
        and it is to go alone. Raises TimeoutError and what a lost connection raises.
        """
        parts = frozenset(batch)
        group = self._open.get(parts)
        if group is None or len(group.batches) == _MOST:
            group = self._open[parts] = _Group()
            group.sent = asyncio.create_task(self._send(parts, group))
        group.batches.append(batch)
        return await asyncio.shield(group.sent)

    async def _send(self, parts: frozenset[Part], group: _Group) -> bool:
        seen = 0
        while seen < len(group.batches) < _MOST:
            seen = len(group.batches)
            await asyncio.sleep(0)
        if self._open.get(parts) is group:
            del self._open[parts]
        return len(group.batches) > 1 and await self._written(group.batches)

    async def _written(self, batches: list[Batch]) -> bool:
        taken, idle = TakenConnection(self._database), False
        try:
            await taken.read(*writing.statement(writing.merged(batches)))
            idle = True
        except LOST:
            raise
        except asyncpg.PostgresError:
            idle = True
            return False
        finally:
            taken.leave(safely=idle)
        return True
