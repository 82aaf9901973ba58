"""Letting a group read a topic on Kafka again.

Invariant: positions are set back only while nobody reads. The broker refuses it for a group with members: one
that reads on would commit over them.
"""

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import CommitFailedError

from shared.events.transport.kafka.address import KafkaAddress
from shared.events.transport.kafka.connection import Connection, within
from shared.events.transport.kafka.offsets import OffsetReader

_CLEARING = 2.0


class GroupReads(Exception):
    """The group has members, and its positions are theirs."""


async def read_again(address: KafkaAddress, *, group: str, topic: str, offset: int) -> int:
    """Set a group's position in every partition of a topic back to an offset; tell in how many it lay beyond.

    What the group has handled stays handled, because the inbox knows it: only what it misses has an effect.
    Raises GroupReads while the group has members, also those that stopped less than a session (10 s) ago.
    """
    connection = Connection(address)
    offsets = OffsetReader(connection)
    try:
        committed = await offsets.committed(group, [topic])
    finally:
        await offsets.close()
    beyond = [place for place, at in committed.items() if at > offset]
    if beyond:
        await _commit(connection, address.group(group), dict.fromkeys(beyond, offset))
    return len(beyond)


async def _commit(connection: Connection, group: str, offsets: dict[TopicPartition, int]) -> None:
    consumer = AIOKafkaConsumer(**await connection.options(), group_id=group, enable_auto_commit=False)
    consumer.assign(list(offsets))
    await consumer.start()
    try:
        await consumer.commit(offsets)
    except CommitFailedError as error:
        raise GroupReads(group) from error
    finally:
        await within(_CLEARING, consumer.stop())
