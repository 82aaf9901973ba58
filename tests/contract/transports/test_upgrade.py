"""On every transport: what the version before has read, held and not yet read goes on, nothing lost or twice.

That version kept positions of the embedded log in `consumer_position`, and those on Kafka with the broker.
"""

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaConsumer, TopicPartition
from sqlalchemy import MetaData

from deploy.services import SERVICES, package
from shared.db import Database, migrate
from shared.events.inbox import held_events
from shared.events.inbox.incoming import IncomingRecord
from shared.events.topics import REFERRAL
from shared.events.transport import positions
from shared.events.transport.base import Batch, Record
from shared.events.transport.kafka.transport import KafkaTransport
from tests.conftest import MakeDatabase
from tests.support.events import count, effects
from tests.support.eventually import eventually
from tests.support.transports import GROUP, QUICK, WITHIN, WORKING, Wire, drain, next_batch, versions

BEFORE = {service: "0003" if service == "referral" else "0002" for service in SERVICES}


@pytest_asyncio.fixture
async def consumer(make_database: MakeDatabase) -> Database:
    """A database of scheduling as the version before left it, with a table for effects."""
    database = await make_database(MetaData(), name=GROUP)
    await migrate.upgrade(database, package=package(GROUP), to=BEFORE[GROUP])
    async with database.transaction() as tx:
        await tx.records("CREATE TABLE effect (id serial, event_id text, key text, version int)")
    return database


async def read_as_before(wire: Wire, batch: Batch, *, consumer: Database) -> None:
    """Leave what the version before left of a batch: its first event is held, the others are handled.

    The inbox is left empty, so that nothing but the position keeps them from being handled again.
    """
    first = IncomingRecord(batch.records[0])
    async with consumer.transaction() as tx:
        error = ValueError("not of the machine")
        await held_events.hold(tx, [(first, error)], group=GROUP, retry_policy=QUICK)
    behind = {record.partition: record.offset + 1 for record in batch.records}
    if isinstance(wire.transport, KafkaTransport):
        await commit(wire.transport, behind)
    else:
        async with consumer.transaction() as tx:
            await tx.records("INSERT INTO consumer_position VALUES ($1, $2, $3)", GROUP, REFERRAL, behind[0])


async def all_of(wire: Wire, *, records: int) -> Batch:
    """Read so many records as another group, the one of the key `held` first."""
    subscription = wire.transport.subscribe(wire.consumer, group="reader", topics=(REFERRAL,))
    read: list[Record] = []
    while len(read) < records:
        batch = await next_batch(subscription)
        subscription.passed(batch)
        read += batch.records
    await subscription.close()
    return Batch(records=sorted(read, key=lambda record: record.key != "held"))


async def commit(transport: KafkaTransport, behind: dict[int, int]) -> None:
    """Commit offsets of the group to the broker."""
    address = transport.address
    reader = AIOKafkaConsumer(
        bootstrap_servers=address.bootstrap, group_id=address.group(GROUP), enable_auto_commit=False
    )
    places = {TopicPartition(address.topic(REFERRAL), place): offset for place, offset in behind.items()}
    reader.assign(list(places))
    await reader.start()
    await reader.commit(places)
    await reader.stop()


async def test_a_group_goes_on_where_the_version_before_stood(wire: Wire, consumer: Database) -> None:
    await wire.publish("held")
    await wire.publish("p1", times=3)
    await read_as_before(wire, await all_of(wire, records=4), consumer=consumer)
    await wire.publish("held")
    await wire.publish("p1")
    await wire.publish("p2", times=2)

    await migrate.upgrade(consumer, package=package(GROUP))
    wire.consumer = consumer
    owner, retry = wire.owner(WORKING), wire.retry(WORKING)
    await drain(wire, owner, expected=3)

    async def all_done() -> bool:
        await owner.step()
        await retry.step()
        return len(await effects(consumer)) == 5

    await eventually(all_done, within=WITHIN)
    found = await effects(consumer)
    assert {key: versions(found, key) for key in ("held", "p1", "p2")} == {
        "held": [1, 1],
        "p1": [1],
        "p2": [1, 2],
    }
    assert await count(consumer, "held_key") == 0
    assert await wire.lag() == 0


@pytest.mark.parametrize("service", SERVICES)
async def test_positions_of_the_embedded_log_become_those_of_its_one_partition(
    make_database: MakeDatabase, service: str
) -> None:
    database = await make_database(MetaData(), name=service)
    await migrate.upgrade(database, package=package(service), to=BEFORE[service])
    async with database.transaction() as tx:
        await tx.records("INSERT INTO consumer_position VALUES ($1, $2, 7)", service, REFERRAL)

    await migrate.upgrade(database, package=package(service))

    assert await positions.read(database, group=service) == {(REFERRAL, 0): 7}


@pytest.mark.parametrize("service", SERVICES)
async def test_what_the_version_before_writes_while_it_is_being_replaced_still_works(
    make_database: MakeDatabase, service: str
) -> None:
    database = await make_database(MetaData(), name=service)
    await migrate.upgrade(database, package=package(service))
    async with database.transaction() as tx:
        for offset in (1, 2):
            await tx.records(
                "INSERT INTO consumer_position AS p (consumer_group, topic, next_offset) VALUES ($1, $2, $3)"
                " ON CONFLICT (consumer_group, topic) DO UPDATE SET next_offset = excluded.next_offset",
                service,
                REFERRAL,
                offset,
            )
