"""What a loop says while it fails: one line with the runbook's page, not one for each attempt."""

import asyncio
from collections.abc import Iterator
from typing import Any

import asyncpg
import pytest

from shared.db import Database
from shared.events import polling_loop
from shared.events.polling_loop import PollingLoop
from shared.telemetry.log_throttle import LogThrottle
from tests.support.eventually import eventually
from tests.support.redaction import Told, watching


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Iterator[Told]:
    monkeypatch.setattr(polling_loop, "_throttle", LogThrottle())
    with watching() as told:
        yield told


async def fail(names: tuple[str, ...], error: Exception, *, times: int = 3) -> None:
    """Let loops of these names fail so often with an error, and then work."""
    attempts = dict.fromkeys(names, 0)

    def step_of(name: str) -> Any:
        async def step() -> bool:
            attempts[name] += 1
            if attempts[name] <= times:
                raise error
            return False

        return step

    loops = [PollingLoop(name, step_of(name), pause=lambda: 30) for name in names]
    tasks = [asyncio.create_task(loop.run()) for loop in loops]
    await eventually(lambda: all(attempts[name] > times for name in names), within=20)
    for loop in loops:
        loop.stop()
    await asyncio.gather(*tasks)


async def test_a_loop_that_fails_again_and_again_says_so_once_and_that_it_works_again(told: Told) -> None:
    await fail(("relay",), ValueError("Featherstone"))
    failed, works = told.log
    assert (failed["event"], failed["loop"], failed["runbook"]) == (
        "worker.step-failed",
        "relay",
        "RelayStalled",
    )
    assert failed["error"].startswith("ValueError")
    assert (works["event"], works["attempts"]) == ("worker.step-works-again", 3)
    told.must_not_hold("Featherstone")


async def test_a_database_that_is_away_is_one_line_for_all_loops(told: Told) -> None:
    await fail(("relay", "consumer", "held", "timers"), asyncpg.CannotConnectNowError("starting up"))
    failed = [line for line in told.log if line["event"] == "worker.step-failed"]
    assert [line["runbook"] for line in failed] == ["DatabaseUnreachable"]


async def test_what_is_kept_back_is_counted() -> None:
    throttle = LogThrottle(every=1000)
    assert throttle.allow("a") == 0
    assert [throttle.allow("a"), throttle.allow("a")] == [None, None]
    throttle._next["a"] = 0
    assert throttle.allow("a") == 2
    assert throttle.forget("a")
    assert not throttle.forget("a")


async def test_a_connection_that_is_refused_is_the_database_that_is_away(told: Told) -> None:
    nowhere = Database.connect("postgresql://nobody@127.0.0.1:1/nothing", name="nothing")
    with pytest.raises(OSError) as refused:  # noqa: PT011 - whichever the system gives
        async with nowhere.transaction() as tx:
            await tx.run("SELECT 1")
    await nowhere.close()
    await fail(("relay", "timers"), refused.value, times=1)
    failed = [line["runbook"] for line in told.log if line["event"] == "worker.step-failed"]
    assert failed == ["DatabaseUnreachable"]
