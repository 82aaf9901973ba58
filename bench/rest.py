"""When the main path has come to its end for every referral, and what it left in the databases."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import asyncpg

from bench.running import SERVICE_NAMES, Broken, RunningClinic
from shared.events.topics import TOPICS

# Looking costs the server time that would be counted, so it is done the less often the longer it takes.
_LOOK_EVERY, _LOOK_SHARE = 0.05, 0.02
_COUNTS = {
    "referral": "SELECT (SELECT count(*) FROM outbox) AS open, (SELECT count(*) FROM referral) AS done",
    "scheduling": "SELECT (SELECT count(*) FROM outbox) AS open,"
    " (SELECT count(*) FROM appointment WHERE status = 'booked') AS done",
    "careteam": "SELECT (SELECT count(*) FROM outbox) AS open, (SELECT count(*) FROM team) AS done",
    "notifications": "SELECT (SELECT count(*) FROM outbox)"
    " + (SELECT count(*) FROM notification WHERE status IN ('preparation', 'in-progress')) AS open,"
    " (SELECT count(*) FROM team_member WHERE practitioner LIKE '%physiatrist') AS done",
}
_HELD = "SELECT count(*) FROM held_key"


@dataclass(frozen=True)
class Databases:
    """A connection to each service's database of a running clinic."""

    by_service: Mapping[str, asyncpg.Connection]

    @classmethod
    async def of(cls, clinic: RunningClinic) -> "Databases":
        """Connect to all."""
        return cls({service: await clinic.connect(service) for service in SERVICE_NAMES})

    @classmethod
    async def at(cls, url: Callable[[str], str]) -> "Databases":
        """Connect to all on a server of this process."""
        return cls({service: await asyncpg.connect(url(service)) for service in SERVICE_NAMES})

    async def close(self) -> None:
        """Disconnect from all."""
        for connection in self.by_service.values():
            await connection.close()

    async def done(self) -> int:
        """Count the referrals received so far."""
        count: int = await self.by_service["referral"].fetchval("SELECT count(*) FROM referral")
        return count

    async def rest(self, *, total: int, within: float) -> float:
        """Wait until `total` referrals are booked, have a team and everybody was notified; tell when.

        Raises Broken after `within` seconds with what was missing.
        """
        began = time.monotonic()
        deadline = began + within
        while True:
            missing = await self._missing(total)
            now = time.monotonic()
            if missing is None:
                return now
            if now > deadline:
                raise Broken(f"not at rest after {within:g} s: {missing}")
            await asyncio.sleep(max(_LOOK_EVERY, _LOOK_SHARE * (now - began)))

    async def _missing(self, total: int) -> str | None:
        for service in reversed(SERVICE_NAMES):
            row = await self.by_service[service].fetchrow(_COUNTS[service])
            if row["open"] or row["done"] < total:
                held = await self.by_service[service].fetchval(_HELD)
                return f"{service}: {row['open']} open, {row['done']} of {total} done, {held} keys held"
        return None

    async def in_outbox(self, service: str) -> int:
        """Count what waits in an outbox."""
        return int(await self.by_service[service].fetchval("SELECT count(*) FROM outbox"))

    async def to_send(self) -> int:
        """Count the messages that are due or under way."""
        return int(
            await self.by_service["notifications"].fetchval(
                "SELECT count(*) FROM notification WHERE next_attempt_at IS NOT NULL"
            )
        )

    async def lag(self, service: str, *, topics: Sequence[str]) -> int:
        """Count what a service has not yet read of these topics of the embedded log."""
        ends = 0
        for topic in topics:
            ends += await self.by_service[TOPICS[topic].publisher].fetchval(
                "SELECT coalesce(sum(next_offset), 0)::bigint FROM event_log_end WHERE topic = $1", topic
            )
        read = await self.by_service[service].fetchval(
            "SELECT coalesce(sum(next_offset), 0)::bigint FROM group_position WHERE topic = ANY($1::text[])",
            list(topics),
        )
        return ends - int(read)

    async def held(self) -> int:
        """Count the held keys of all services."""
        return sum([int(await one.fetchval(_HELD)) for one in self.by_service.values()])

    async def sizes(self) -> dict[str, tuple[int, int]]:
        """Give rows and bytes of every table, as `service.table`."""
        found = {}
        for service, connection in self.by_service.items():
            for table in await tables(connection):
                row = await connection.fetchrow(
                    "SELECT count(*) AS rows, coalesce(sum(pg_column_size(t.*)), 0) AS bytes"
                    f' FROM "{table}" AS t'
                )
                found[f"{service}.{table}"] = (row["rows"], row["bytes"])
        return found

    async def wal(self) -> int:
        """Tell the position in the write-ahead log, in bytes."""
        position: int = await self.by_service["referral"].fetchval(
            "SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn"
        )
        return int(position)


async def tables(connection: asyncpg.Connection) -> list[str]:
    """Name the tables of a database."""
    rows = await connection.fetch(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
    )
    return [row["tablename"] for row in rows if row["tablename"] != "alembic_version"]
