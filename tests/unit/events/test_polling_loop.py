"""Loops of the worker: woken at once, never ended by an error."""

import asyncio

from shared.clock import monotonic
from shared.events.polling_loop import PollingLoop
from tests.support.eventually import eventually

LONG = 30.0


async def test_news_that_comes_while_the_step_looks_is_not_slept_over() -> None:
    looked = 0

    async def look() -> bool:
        nonlocal looked
        looked += 1
        if looked == 1:
            loop.wake.set()
        return False

    loop = PollingLoop("relay", look, pause=lambda: LONG)
    task = asyncio.create_task(loop.run())
    await eventually(lambda: looked == 2, within=2)
    loop.stop()
    await task


async def test_an_error_ends_nothing() -> None:
    looked = 0

    async def look() -> bool:
        nonlocal looked
        looked += 1
        if looked == 1:
            raise ValueError
        return False

    loop = PollingLoop("relay", look, pause=lambda: LONG)
    task = asyncio.create_task(loop.run())
    await eventually(lambda: looked == 2, within=2)
    assert loop.failures == 0
    loop.stop()
    await task


async def test_it_comes_back_at_once_while_there_is_work_and_after_the_pause_when_there_is_none() -> None:
    looked = 0

    async def look() -> bool:
        nonlocal looked
        looked += 1
        return looked < 5

    loop = PollingLoop("relay", look, pause=lambda: 0.01)
    began = monotonic()
    task = asyncio.create_task(loop.run())
    await eventually(lambda: looked >= 7, within=2)
    assert monotonic() - began < LONG
    loop.stop()
    await task


async def test_it_stops_at_once_when_it_is_idle() -> None:
    async def look() -> bool:
        return False

    loop = PollingLoop("relay", look, pause=lambda: LONG)
    task = asyncio.create_task(loop.run())
    await asyncio.sleep(0)
    loop.stop()
    await asyncio.wait_for(task, 1)
