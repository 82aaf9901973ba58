"""The feed is no topic on Kafka: its relay leaves it in its own database, and sends the rest."""

from shared.db import Transaction
from shared.events.outbox import publishing
from shared.events.outbox.relay import Relay
from shared.events.topics import FEED, NOTIFICATIONS, TOPICS
from shared.events.transport import event_log
from shared.events.transport.kafka.topics import prepare_topics
from shared.events.transport.kafka.transport import KafkaTransport
from shared.ids import new_text_id
from tests.conftest import MakeDatabase
from tests.support.events import METADATA, count
from tests.support.kafka import kafka_of_run
from tests.support.transports import next_batch


async def put(tx: Transaction, topic: str, key: str) -> None:
    await publishing.append(tx, topic=topic, records=[(new_text_id(), key, new_text_id(), "toy", b"{}")])


async def test_the_feed_is_moved_and_wakes_its_readers_and_the_rest_is_on_kafka(
    make_database: MakeDatabase,
) -> None:
    address = kafka_of_run()
    await prepare_topics(address)
    database = await make_database(METADATA, name="notifications")
    transport = KafkaTransport(address)
    relay = Relay(database, transport)
    subscription = transport.subscribe(database, group="toy", topics=(NOTIFICATIONS,))
    try:
        async with database.transaction() as tx:
            for topic, key in ((FEED, "p1"), (NOTIFICATIONS, "p2"), (FEED, "p3"), (NOTIFICATIONS, "p2")):
                await put(tx, topic, key)
        with event_log.watch(database, FEED) as wake:
            await relay.step()
            assert await wake.wait(at_most=0)

        stayed = await event_log.read(database, FEED, offset=0, limit=9)
        assert [record.key for record in stayed] == ["p1", "p3"]
        assert [record.key for record in (await next_batch(subscription)).records] == ["p2", "p2"]
        assert await count(database, "outbox") == 0
    finally:
        await subscription.close()
        await relay.stop()
        await transport.close()


def test_nothing_but_the_feed_stays() -> None:
    transport = KafkaTransport(kafka_of_run())
    found = {topic.publisher: transport.in_place(topic.publisher) for topic in TOPICS.values()}
    assert found == {
        "referral": frozenset(),
        "scheduling": frozenset(),
        "careteam": frozenset(),
        "notifications": {FEED},
    }
