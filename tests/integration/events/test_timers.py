"""Timers: at most one of each, fired once with its effect, never lost."""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta

import pytest

from shared import timers
from shared.clock import SimulatedClock
from shared.context import Context
from shared.db import Database, Transaction
from shared.events.timer_firing import TimerFiring
from shared.time_limit import TookTooLong
from shared.timers import Timer, TimerHandler
from tests.conftest import MakeDatabase
from tests.support.context import a_context, contexts
from tests.support.events import METADATA, NOON, count
from tests.support.sql import sql

LATER = NOON + timedelta(days=28)
DUE = a_context(at=LATER, cause="timer/promise/r1")


async def note(ctx: Context, tx: Transaction, timer: Timer) -> None:
    assert ctx == DUE
    await sql(
        tx,
        "INSERT INTO effect (event_id, key, version) VALUES (:ref, :kind, 1)",
        ref=timer.ref,
        kind=timer.kind,
    )


async def fail(ctx: Context, tx: Transaction, timer: Timer) -> None:
    await note(ctx, tx, timer)
    raise ValueError("a name that must not be stored")


def firing(database: Database, clock: SimulatedClock, *, handler: TimerHandler = note) -> TimerFiring:
    table: Mapping[str, TimerHandler] = {"promise": handler}
    return TimerFiring(
        database, table, clock=clock, context=contexts(service="referral", clock=clock), service="referral"
    )


async def promise(database: Database, due: datetime) -> None:
    async with database.transaction() as tx:
        await timers.schedule(tx, kind="promise", ref="r1", due=due)


async def test_a_timer_fires_once_when_its_time_has_come(make_database: MakeDatabase) -> None:
    database, clock = await make_database(METADATA), SimulatedClock(NOON)
    await promise(database, LATER)
    fires = firing(database, clock)

    assert not await fires.step()
    clock.set(LATER)
    assert await fires.step()
    assert not await fires.step()

    assert await count(database, "effect") == 1
    assert await count(database, "timer") == 0


async def test_a_timer_that_is_set_again_is_moved(make_database: MakeDatabase) -> None:
    database, clock = await make_database(METADATA), SimulatedClock(NOON)
    await promise(database, NOON)
    await promise(database, LATER)
    fires = firing(database, clock)

    assert not await fires.step()
    clock.set(LATER)
    assert await fires.step()
    assert await count(database, "effect") == 1


async def test_a_timer_that_stands_is_not_set_once_more(make_database: MakeDatabase) -> None:
    database = await make_database(METADATA)
    async with database.transaction() as tx:
        assert await timers.schedule_once(tx, kind="promise", ref="r1", due=NOON)
        assert not await timers.schedule_once(tx, kind="promise", ref="r1", due=LATER)
        due = (await sql(tx, "SELECT due_at FROM timer")).scalar()
    assert due == NOON


async def test_a_cancelled_timer_does_not_fire(make_database: MakeDatabase) -> None:
    database = await make_database(METADATA)
    await promise(database, NOON)
    async with database.transaction() as tx:
        await timers.cancel(tx, kind="promise", ref="r1")

    assert not await firing(database, SimulatedClock(LATER)).step()


async def test_several_timers_are_cancelled_at_once_and_no_other(make_database: MakeDatabase) -> None:
    database = await make_database(METADATA)
    async with database.transaction() as tx:
        for ref in ("r1", "r2", "r3"):
            await timers.schedule(tx, kind="promise", ref=ref, due=NOON)
        await timers.cancel_all(tx, [("promise", "r1"), ("promise", "r3"), ("other", "r2")])
        await timers.cancel_all(tx, [])
        left = (await sql(tx, "SELECT ref FROM timer")).column()
    assert left == ["r2"]


async def test_a_failing_timer_stays_without_its_effect_and_backs_off(make_database: MakeDatabase) -> None:
    database, clock = await make_database(METADATA), SimulatedClock(LATER)
    await promise(database, LATER)
    fires = firing(database, clock, handler=fail)

    assert await fires.step()
    assert not await fires.step()

    assert await count(database, "effect") == 0
    async with database.transaction() as tx:
        row = (await sql(tx, "SELECT attempts, machine_next_at, error FROM timer")).one()
    assert row.attempts == 1
    assert row.machine_next_at is not None
    assert row.error.startswith("ValueError at tests/")
    assert "a name" not in row.error


async def test_two_workers_fire_a_timer_once(make_database: MakeDatabase) -> None:
    database, clock = await make_database(METADATA), SimulatedClock(LATER)
    await promise(database, LATER)
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slowly(ctx: Context, tx: Transaction, timer: Timer) -> None:
        begun.set()
        await go_on.wait()
        await note(ctx, tx, timer)

    one = asyncio.create_task(firing(database, clock, handler=slowly).step())
    await begun.wait()
    async with asyncio.timeout(5):
        assert not await firing(database, clock).step()
    go_on.set()
    assert await one

    assert await count(database, "effect") == 1


async def test_a_naive_time_is_refused(make_database: MakeDatabase) -> None:
    database = await make_database(METADATA)
    async with database.transaction() as tx:
        with pytest.raises(ValueError, match="zone"):
            await timers.schedule(tx, kind="promise", ref="r1", due=NOON.replace(tzinfo=None))


async def test_a_handler_may_set_its_own_timer_again(make_database: MakeDatabase) -> None:
    database, clock = await make_database(METADATA), SimulatedClock(LATER)
    await promise(database, LATER)

    async def again(ctx: Context, tx: Transaction, timer: Timer) -> None:
        await timers.schedule(tx, kind=timer.kind, ref=timer.ref, due=ctx.at + timedelta(minutes=15))

    fires = firing(database, clock, handler=again)
    assert await fires.step()
    assert not await fires.step()
    assert await count(database, "timer") == 1


async def test_a_timer_that_hangs_is_given_up_and_put_off(make_database: MakeDatabase) -> None:
    database, clock = await make_database(METADATA), SimulatedClock(LATER)
    await promise(database, LATER)

    async def hang(ctx: Context, tx: Transaction, timer: Timer) -> None:
        await note(ctx, tx, timer)
        await asyncio.Event().wait()

    with pytest.raises(timers.TimerFailed) as failed:
        await timers.fire_next(
            database,
            {"promise": hang},
            context=contexts(service="referral", clock=clock),
            limit=timedelta(milliseconds=200),
        )
    assert isinstance(failed.value.__cause__, TookTooLong)
    assert await count(database, "timer") == 1
    assert await count(database, "effect") == 0
