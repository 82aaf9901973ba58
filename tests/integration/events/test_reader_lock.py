"""Several processes on the PostgreSQL log: one of them reads as the group, the others wait for its end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from shared.db import Database
from shared.events.polling_loop import STANDBY, PollingLoop
from shared.events.topics import REFERRAL
from shared.events.transport.base import Batch, OutboxRow
from shared.events.transport.postgres_log import LogSubscription, PostgresTransport
from shared.events.transport.reader_lock import ReaderLock
from tests.conftest import MakeDatabase
from tests.support.events import METADATA
from tests.support.eventually import eventually

WITHIN = 30.0


@asynccontextmanager
async def readers(database: Database, *, group: str = "scheduling") -> AsyncIterator[list[LogSubscription]]:
    """Two processes that read as the same group."""
    transport = PostgresTransport({"referral": database}, one_of_several=True)
    made = [transport.subscribe(database, group=group, topics=(REFERRAL,)) for _ in range(2)]
    try:
        yield made
    finally:
        for one in made:
            await one.close()


async def put(database: Database, *keys: str) -> None:
    """Put records onto the log."""
    rows = [
        OutboxRow(id=0, event_id=key, topic=REFERRAL, key=key, headers={"ce_id": key}, value=b"{}")
        for key in keys
    ]
    async with database.transaction() as tx:
        await PostgresTransport({"referral": database}).send(tx, rows)


async def take(subscription: LogSubscription) -> Batch:
    """Wait for a batch."""
    found = await eventually(lambda: subscription.next_batch(limit=10), within=WITHIN)
    assert isinstance(found, Batch)
    return found


async def test_only_one_of_two_reads_and_both_tell_the_same_lag(make_database: MakeDatabase) -> None:
    database = await make_database(METADATA, name="referral")
    await put(database, "a", "b")
    async with readers(database) as (reads, waits):
        batch = await take(reads)
        assert [record.key for record in batch.records] == ["a", "b"]
        for _ in range(3):
            assert await waits.next_batch(limit=10) is None
        assert [(await one.progress())[REFERRAL].lag for one in (reads, waits)] == [2, 2]
        reads.passed(batch)
        await reads.write_down()
        assert [(await one.progress())[REFERRAL].lag for one in (reads, waits)] == [0, 0]


async def test_the_other_goes_on_behind_what_was_committed_when_the_first_is_killed(
    make_database: MakeDatabase,
) -> None:
    database = await make_database(METADATA, name="referral")
    await put(database, "a")
    async with readers(database) as (reads, waits):
        reads.passed(await take(reads))
        await reads.write_down()
        assert await waits.next_batch(limit=10) is None
        await put(database, "b")
        await kill(database)
        batch = await take(waits)
        assert [record.key for record in batch.records] == ["b"]
        # The lock is free before the end of the session has reached us.
        await eventually(lambda: reads._lock is not None and not reads._lock.held, within=WITHIN)
        assert await reads.next_batch(limit=10) is None
        waits.passed(batch)
        await waits.close()
        await put(database, "c")
        assert [record.key for record in (await take(reads)).records] == ["c"]


async def test_who_waits_for_the_lock_asks_now_and_then_and_not_without_end(
    make_database: MakeDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = await make_database(METADATA, name="referral")
    asked: list[ReaderLock] = []
    acquire = ReaderLock.acquire

    async def counting(lock: ReaderLock) -> bool:
        asked.append(lock)
        return await acquire(lock)

    async with readers(database) as (reads, waits):
        assert await reads.next_batch(limit=10) is None
        monkeypatch.setattr(ReaderLock, "acquire", counting)

        async def step() -> bool:
            return await waits.next_batch(limit=10) is not None

        loop = PollingLoop("consumer", step, pause=waits.pause, wake=waits.wake)
        running = asyncio.create_task(loop.run())
        await asyncio.sleep(4 * STANDBY)
        loop.stop()
        await running
    assert 2 <= len(asked) <= 8


async def test_a_reader_of_another_group_is_not_kept_waiting(make_database: MakeDatabase) -> None:
    database = await make_database(METADATA, name="referral")
    await put(database, "a")
    async with readers(database) as (one, _), readers(database, group="careteam") as (other, _):
        assert [len((await take(reader)).records) for reader in (one, other)] == [1, 1]


async def kill(database: Database) -> None:
    """End the session that holds the lock, as the death of its process does."""
    ended = await database.fetch(
        "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
    )
    assert len(ended) == 1
