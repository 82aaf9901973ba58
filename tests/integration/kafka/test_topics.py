"""The topics are made from the table and checked against it."""

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from shared.events.topics import REFERRAL
from shared.events.transport.kafka.address import KafkaAddress, KafkaUnusable
from shared.events.transport.kafka.topics import check_topics, prepare_topics
from tests.support.kafka import kafka_of_run


async def test_missing_topics_are_named_and_made_and_made_once() -> None:
    address = kafka_of_run()
    with pytest.raises(KafkaUnusable, match=rf"the topic {address.prefix}lumbar\.referral is missing"):
        await check_topics(address)
    await prepare_topics(address)
    await prepare_topics(address)
    await check_topics(address)


async def test_too_few_partitions_are_told() -> None:
    address = kafka_of_run()
    await _make(address, partitions=2)
    with pytest.raises(KafkaUnusable, match=r"lumbar\.referral has 2 partitions and needs 6"):
        await prepare_topics(address)


async def test_a_compacted_topic_is_refused() -> None:
    address = kafka_of_run()
    await _make(address, partitions=6, settings={"cleanup.policy": "compact"})
    with pytest.raises(KafkaUnusable, match="is compacted"):
        await prepare_topics(address)


async def test_a_topic_that_takes_too_little_is_refused() -> None:
    address = kafka_of_run()
    await _make(address, partitions=6)
    with pytest.raises(KafkaUnusable, match=r"needs max\.message\.bytes of 8000000"):
        await prepare_topics(address)


async def _make(address: KafkaAddress, *, partitions: int, settings: dict[str, str] | None = None) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=address.bootstrap)
    await admin.start()
    try:
        await admin.create_topics(
            [NewTopic(address.topic(REFERRAL), partitions, 1, topic_configs=settings or {})]
        )
    finally:
        await admin.close()
