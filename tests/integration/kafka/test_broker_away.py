"""The broker is killed and comes back: publishers go on, nothing is lost, doubled or overtaken."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import httpx
from starlette.applications import Starlette
from starlette.routing import Route

from deploy.kafka import LocalKafka
from deploy.serve.health import health_routes
from shared.clinic.current import CurrentClinic
from shared.clock import SimulatedClock
from shared.events.polling_loop import PollingLoop
from shared.events.topics import REFERRAL
from shared.events.transport.kafka.address import KafkaAddress
from shared.events.transport.kafka.topics import prepare_topics
from shared.events.transport.kafka.transport import KafkaTransport
from shared.events.worker import Worker
from shared.runtime import Runtime
from tests.conftest import MakeDatabase
from tests.support.booking import a_clinic
from tests.support.events import CONSUMER_METADATA, NOON, claim, count, effects, new_toy
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


async def test_a_worker_is_not_ready_while_its_broker_is_away_and_an_api_is(
    tmp_path: Path, make_database: MakeDatabase
) -> None:
    broker = start_local_kafka(tmp_path / "kafka")
    try:
        address = KafkaAddress(bootstrap=broker.bootstrap)
        await prepare_topics(address)
        async with _worker(address, make_database) as worker:
            database = worker.runtime.database
            at_worker = health_routes({"scheduling": database}, workers={"scheduling": worker})
            at_api = health_routes({"scheduling": database}, workers={})
            await eventually(lambda: _states(at_worker, 200), within=30)
            broker.kill()
            states = await _states(at_worker, 503)
            assert states
            assert (states["broker"], states["database"]) == ("away", "up")
            assert await _states(at_api, 200) == {"database": "up"}
            broker = LocalKafka.start(tmp_path / "kafka")
            assert await eventually(lambda: _states(at_worker, 200), within=30)
    finally:
        broker.kill()


@asynccontextmanager
async def _worker(address: KafkaAddress, make_database: MakeDatabase) -> AsyncIterator[Worker]:
    """Run a worker of scheduling on this Kafka."""
    unused = cast(Any, None)
    transport = KafkaTransport(address)
    runtime = Runtime(
        service="scheduling",
        database=await make_database(CONSUMER_METADATA, name="scheduling"),
        clock=SimulatedClock(NOON),
        current=CurrentClinic(a_clinic()),
        transport=transport,
        verifier=unused,
        base_url="http://clinic.test",
    )
    worker = Worker(runtime, topics=(REFERRAL,), handlers=WORKING, timers={})
    await worker.start()
    try:
        yield worker
    finally:
        await worker.stop()
        await transport.close()


async def _states(routes: list[Route], status: int) -> dict[str, str]:
    """Give the state of each need, none where `/readyz` answers another status."""
    transport = httpx.ASGITransport(Starlette(routes=routes))
    async with httpx.AsyncClient(transport=transport, base_url="http://here.test") as http:
        answer = await http.get("/readyz")
    if answer.status_code != status:
        return {}
    return {need["kind"]: need["state"] for need in answer.json()["needs"]}


@asynccontextmanager
async def _working(wire: Wire) -> AsyncIterator[None]:
    """Relay and consume for ever, as a worker does."""
    owner = wire.owner(WORKING)
    loops = [
        PollingLoop("relay", wire.relay.step, pause=lambda: 0.1),
        PollingLoop("consumer", owner.step, pause=lambda: 0),
    ]
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
