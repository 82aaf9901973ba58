"""The broker is killed and comes back: publishers go on, nothing is lost, doubled or overtaken."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

from deploy.kafka import LocalKafka
from shared.events.polling_loop import PollingLoop
from shared.events.transport.kafka.address import KafkaAddress
from shared.events.transport.kafka.topics import prepare_topics
from tests.conftest import MakeDatabase
from tests.support.events import claim, count, effects, new_toy
from tests.support.eventually import eventually
from tests.support.kafka import start_local_kafka
from tests.support.transports import WORKING, Wire, over, versions


async def test_a_broker_that_was_killed_and_started_again_loses_nothing(
    tmp_path: Path, make_database: MakeDatabase
) -> None:
    broker = start_local_kafka(tmp_path / "kafka")
    try:
        address = KafkaAddress(bootstrap=broker.bootstrap)
        await prepare_topics(address)
        async with over(address, make_database) as wire, _working(wire):
            toys = [await new_toy(wire.publisher) for _ in range(4)]
            await _write(wire, toys, 40)
            await eventually(lambda: _had(wire, 40), within=60)
            broker.kill()
            await _write(wire, toys, 40)
            assert await count(wire.publisher, "outbox") == 40
            broker = LocalKafka.start(tmp_path / "kafka")
            await _write(wire, toys, 40)
            await eventually(lambda: _had(wire, 120), within=90)
            for number in range(4):
                assert versions(await effects(wire.consumer), f"p{number}") == list(range(1, 31))
            assert await count(wire.consumer, "held_event") == 0
    finally:
        broker.kill()


@asynccontextmanager
async def _working(wire: Wire) -> AsyncIterator[None]:
    """Relay and consume for ever, as a worker does."""
    owner = wire.owner(WORKING)
    loops = [PollingLoop("relay", wire.relay.step), PollingLoop("consumer", owner.step)]
    tasks = [asyncio.create_task(loop.run()) for loop in loops]
    yield
    for loop in loops:
        loop.stop()
    await asyncio.gather(*tasks)


async def _write(wire: Wire, toys: list[UUID], number: int) -> None:
    for turn in range(number):
        async with wire.publisher.transaction() as tx:
            await claim(tx, toys[turn % 4], key=f"p{turn % 4}")


async def _had(wire: Wire, expected: int) -> bool:
    return len(await effects(wire.consumer)) == expected
