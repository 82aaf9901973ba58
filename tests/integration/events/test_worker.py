"""A worker as a whole: events, timers and loops at rest or not; who leads the relay."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

import pytest
from sqlalchemy.exc import DBAPIError

from shared import timers
from shared.clinic.current import CurrentClinic
from shared.clock import SimulatedClock
from shared.context import Context
from shared.db import Database, Transaction
from shared.events.envelope import Event
from shared.events.inbox.handling import HandlerTable
from shared.events.outbox.relay import Relay
from shared.events.settle import NotSettled, settle
from shared.events.topics import REFERRAL
from shared.events.transport import event_log
from shared.events.transport.postgres_log import PostgresTransport
from shared.events.worker import OnStart, Worker
from shared.runtime import Runtime
from shared.timers import Timer, TimerTable
from tests.conftest import MakeDatabase
from tests.support.booking import a_clinic
from tests.support.events import CONSUMER_METADATA, METADATA, NOON, claim, count, effects, new_toy, record
from tests.support.eventually import eventually
from tests.support.sql import sql


async def refuse(ctx: Context, tx: Transaction, event: Event) -> None:
    raise ValueError


def runtime(service: str, database: Database, referral: Database, clock: SimulatedClock) -> Runtime:
    unused = cast(Any, None)
    return Runtime(
        service=service,
        database=database,
        clock=clock,
        current=CurrentClinic(a_clinic()),
        transport=PostgresTransport({"referral": referral}),
        verifier=unused,
        base_url="http://clinic.test",
    )


@asynccontextmanager
async def running(*workers: Worker) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        for worker in workers:
            await worker.start()
            stack.push_async_callback(worker.stop)
        yield


async def two_workers(
    make_database: MakeDatabase,
    clock: SimulatedClock,
    *,
    handlers: HandlerTable,
    timer_table: TimerTable | None = None,
    on_start: OnStart | None = None,
) -> tuple[Database, Database, Worker, Worker]:
    referral = await make_database(METADATA, name="referral")
    scheduling = await make_database(CONSUMER_METADATA, name="scheduling")
    publisher = Worker(
        runtime("referral", referral, referral, clock),
        topics=(),
        handlers={},
        timers=timer_table or {},
        on_start=on_start,
    )
    consumer = Worker(
        runtime("scheduling", scheduling, referral, clock), topics=(REFERRAL,), handlers=handlers, timers={}
    )
    return referral, scheduling, publisher, consumer


async def test_settled_means_that_every_event_had_its_effect(make_database: MakeDatabase) -> None:
    clock = SimulatedClock(NOON)
    referral, scheduling, *workers = await two_workers(make_database, clock, handlers={"toy.claimed": record})
    toy = await new_toy(referral)
    async with running(*workers):
        for _ in range(20):
            async with referral.transaction() as tx:
                await claim(tx, toy, key="p1")
        await settle(workers, timeout=10)
        assert len(await effects(scheduling)) == 20
        assert all(worker.healthy() for worker in workers)


async def test_what_is_not_settled_is_named(make_database: MakeDatabase) -> None:
    clock = SimulatedClock(NOON)
    referral, _, *workers = await two_workers(make_database, clock, handlers={"toy.claimed": refuse})
    toy = await new_toy(referral)
    async with running(*workers):
        async with referral.transaction() as tx:
            await claim(tx, toy, key="p1")
        with pytest.raises(NotSettled, match="scheduling: held keys 1"):
            await settle(workers, timeout=0.5)


async def test_a_timer_fires_when_the_clock_is_moved_and_its_event_arrives(
    make_database: MakeDatabase,
) -> None:
    clock = SimulatedClock(NOON)
    due: datetime = NOON + timedelta(days=28)

    async def claim_now(ctx: Context, tx: Transaction, timer: Timer) -> None:
        await claim(tx, toy, key="p1")

    async def promise(ctx: Context, tx: Transaction) -> None:
        await timers.schedule_once(tx, kind="promise", ref="r1", due=due)

    referral, scheduling, *workers = await two_workers(
        make_database,
        clock,
        handlers={"toy.claimed": record},
        timer_table={"promise": claim_now},
        on_start=promise,
    )
    toy = await new_toy(referral)
    async with running(*workers):
        await settle(workers, timeout=10)
        assert await effects(scheduling) == []
        assert (await workers[0].read_status()).next_timer == due
        clock.set(due)
        await settle(workers, timeout=10)
        assert len(await effects(scheduling)) == 1


async def test_a_loop_of_a_service_runs_when_the_clock_is_moved(make_database: MakeDatabase) -> None:
    clock = SimulatedClock(NOON)
    referral = await make_database(METADATA, name="referral")
    sending = Sending(clock, due=NOON + timedelta(hours=1))
    worker = Worker(
        runtime("referral", referral, referral, clock), topics=(), handlers={}, timers={}, loops=(sending,)
    )
    async with running(worker):
        assert (await worker.read_status()).next_timer == NOON + timedelta(hours=1)
        clock.set(NOON + timedelta(hours=1))
        await settle([worker], timeout=10)
        assert sending.sent == 1


class Sending:
    """A loop with one thing to send."""

    name = "sending"

    def __init__(self, clock: SimulatedClock, *, due: datetime) -> None:
        self.clock = clock
        self.due = due
        self.sent = 0

    async def run_once(self) -> bool:
        if not await self.pending(self.clock.now()):
            return False
        self.sent += 1
        return True

    async def pending(self, now: datetime) -> int:
        return int(not self.sent and self.due <= now)

    async def next_due(self) -> datetime | None:
        return None if self.sent else self.due


async def test_another_relay_leads_when_the_leader_is_gone(make_database: MakeDatabase) -> None:
    referral = await make_database(METADATA, name="referral")
    transport = PostgresTransport({"referral": referral})
    leader, other = Relay(referral, transport), Relay(referral, transport)
    toy = await new_toy(referral)
    await leader.step()
    async with referral.transaction() as tx:
        await claim(tx, toy, key="p1")

    await other.step()
    assert other.election.known
    assert other.election.epoch is None
    assert await count(referral, "outbox") == 1
    await leader.stop()

    async def moved() -> bool:
        await other.step()
        return await count(referral, "outbox") == 0

    await eventually(moved)
    assert other.election.epoch == 2
    await other.stop()


async def test_a_row_that_comes_late_is_sent_before_the_next_of_its_aggregate(
    make_database: MakeDatabase,
) -> None:
    referral = await make_database(METADATA, name="referral")
    relay = Relay(referral, PostgresTransport({"referral": referral}))
    slow, busy = await new_toy(referral), await new_toy(referral)
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def write_slowly() -> None:
        async with referral.transaction() as tx:
            await claim(tx, slow, key="slow")
            begun.set()
            await go_on.wait()

    writing = asyncio.create_task(write_slowly())
    await begun.wait()
    async with referral.transaction() as tx:
        for _ in range(1200):
            await claim(tx, busy, key="busy")
    while await relay.step():
        pass
    await relay.step()
    go_on.set()
    await writing
    async with referral.transaction() as tx:
        await claim(tx, slow, key="slow")
    await relay.step()
    await relay.stop()

    records = await event_log.read(referral, REFERRAL, offset=1200, limit=9)
    assert [(one.key, one.headers["ce_version"]) for one in records] == [("slow", "1"), ("slow", "2")]


async def test_a_relay_whose_connection_was_cut_leads_again(make_database: MakeDatabase) -> None:
    clock = SimulatedClock(NOON)
    referral, scheduling, *workers = await two_workers(make_database, clock, handlers={"toy.claimed": record})
    toy = await new_toy(referral)
    async with running(*workers):
        await eventually(lambda: all(worker.healthy() for worker in workers))
        async with referral.transaction() as tx:
            await sql(
                tx,
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()",
            )
        await eventually(lambda: claimed(referral, toy))
        await settle(workers, timeout=10)
        assert len(await effects(scheduling)) == 1


async def claimed(database: Database, toy: UUID) -> bool:
    try:
        async with database.transaction() as tx:
            await claim(tx, toy, key="p1")
    except DBAPIError:
        return False
    return True


async def test_old_records_go_and_the_log_says_where_it_begins(make_database: MakeDatabase) -> None:
    referral = await make_database(METADATA, name="referral")
    transport = PostgresTransport({"referral": referral})
    relay = Relay(referral, transport)
    toy = await new_toy(referral)
    async with referral.transaction() as tx:
        for _ in range(5):
            await claim(tx, toy, key="p1")
    await relay.step()
    await relay.stop()
    async with referral.transaction() as tx:
        await sql(tx, "UPDATE event_log SET machine_at = :old WHERE log_offset < 3", old=NOON)
        assert await event_log.trim(tx, REFERRAL, before=NOON + timedelta(days=1)) == 3

    extent = await event_log.extent(referral, REFERRAL)
    assert (extent.first, extent.end) == (3, 5)
    assert [record.offset for record in await event_log.read(referral, REFERRAL, offset=0, limit=9)] == [3, 4]
