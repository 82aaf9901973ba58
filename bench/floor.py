"""The floor of the main path: the rows that it wrote, written again by asyncpg alone.

They are read back from the databases of the measured clinic, with every column and every byte, and written
into databases of the same schema on the same server, durably, by five loops (the referral service's event log
is one of its own), each in transactions of 64 referrals' rows. No HTTP, no checking, no reading, no second
version of a row: what was updated or deleted on the way is left out, and foreign keys are not looked up. The
floor therefore lies lower than any working system could go.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from bench.rest import Databases, tables
from bench.running import SERVICE_NAMES, RunningClinic
from deploy.services import metadata, package
from shared.db import Database, migrate

BATCH = 64
_EVENT_LOG = "event_log"

Rows = Mapping[str, Sequence[Any]]


@dataclass(frozen=True, kw_only=True)
class Loop:
    """What one loop writes: rows by table, in the order in which tables depend on each other."""

    service: str
    rows: Rows


class Floor:
    """The floor's databases, and the rows of `referrals` referrals."""

    def __init__(self, clinic: RunningClinic, loops: Sequence[Loop], *, referrals: int) -> None:
        self._clinic = clinic
        self._loops = loops
        self._referrals = referrals

    @classmethod
    async def of(cls, clinic: RunningClinic, databases: Databases) -> "Floor":
        """Read back everything that the clinic has written so far, and make the floor's databases."""
        referrals = await databases.done()
        loops = []
        for service, connection in databases.by_service.items():
            rows = {table: await _read(connection, table) for table in await _in_order(service, connection)}
            if service == "referral":
                loops.append(Loop(service=service, rows={_EVENT_LOG: rows.pop(_EVENT_LOG)}))
            loops.append(Loop(service=service, rows=rows))
        await _make(clinic)
        return cls(clinic, loops, referrals=referrals)

    async def write(self) -> float:
        """Write all rows once into the emptied databases, and give the referrals per second."""
        connections = [await self._connect(loop) for loop in self._loops]
        began = time.monotonic()
        await asyncio.gather(
            *(_write(connection, loop, batches=-(-self._referrals // BATCH))
              for connection, loop in zip(connections, self._loops, strict=True))
        )  # fmt: skip
        took = time.monotonic() - began
        for connection in connections:
            await connection.close()
        return self._referrals / took

    async def _connect(self, loop: Loop) -> asyncpg.Connection:
        connection = await asyncpg.connect(self._clinic.database_url(f"floor_{loop.service}"))
        await connection.execute("SET session_replication_role = replica")
        for table in loop.rows:
            await connection.execute(f'TRUNCATE "{table}" CASCADE')
        return connection


async def _write(connection: asyncpg.Connection, loop: Loop, *, batches: int) -> None:
    statements = {}
    for table, rows in loop.rows.items():
        if rows:
            columns = ", ".join(f'"{name}"' for name in rows[0].keys())  # noqa: SIM118
            places = ", ".join(f"${place}" for place in range(1, len(rows[0]) + 1))
            statements[table] = f'INSERT INTO "{table}" ({columns}) OVERRIDING SYSTEM VALUE VALUES ({places})'
    for batch in range(batches):
        async with connection.transaction():
            for table, statement in statements.items():
                rows = loop.rows[table]
                share = slice(len(rows) * batch // batches, len(rows) * (batch + 1) // batches)
                await connection.executemany(statement, rows[share])


async def _read(connection: asyncpg.Connection, table: str) -> Sequence[Any]:
    rows: Sequence[Any] = await connection.fetch(f'SELECT * FROM "{table}" ORDER BY ctid')
    return rows


async def _in_order(service: str, connection: asyncpg.Connection) -> list[str]:
    there = set(await tables(connection))
    return [table.name for table in metadata(service).sorted_tables if table.name in there]


async def _make(clinic: RunningClinic) -> None:
    connection = await asyncpg.connect(clinic.database_url("postgres"))
    for service in SERVICE_NAMES:
        await connection.execute(f"CREATE DATABASE floor_{service}")
        made = Database.connect(clinic.database_url(f"floor_{service}"), name=service)
        await migrate.upgrade(made, package=package(service))
        await made.close()
    await connection.close()
