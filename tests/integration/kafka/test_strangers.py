"""Records that somebody else wrote, and records that are gone: held or told, and the others go on."""

import structlog
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.util import calc_crc32c

from shared.events.topics import REFERRAL
from shared.events.transport.kafka.address import KafkaAddress
from shared.events.transport.kafka.producer import partition_of
from shared.events.transport.kafka.tail import Tail
from shared.events.transport.kafka.transport import KafkaTransport
from tests.support.events import effects
from tests.support.eventually import eventually
from tests.support.transports import WITHIN, WORKING, Wire, drain, until_held

Headers = list[tuple[str, bytes]]
STRANGE: list[tuple[bytes | None, bytes | None, Headers]] = [
    (None, b"\x00\xff\xfe", []),
    (b"p9", None, []),
    (b"\xff\x00\xfe", b"{}", []),
    (b"p8", b"{}", [("ce_id", b"\x00"), ("ce_type", b"\xc3\x28"), ("x\x00y", b"")]),
    (b"", b"", [("ce_specversion", b"1.0")]),
]


async def test_records_of_no_shape_of_ours_are_held_and_nobody_else_waits(wire: Wire) -> None:
    async with AIOKafkaProducer(bootstrap_servers=_address(wire).bootstrap) as producer:
        for key, value, headers in STRANGE:
            await producer.send_and_wait(
                _address(wire).topic(REFERRAL), value, key=key, partition=0, headers=headers
            )
    toy = next(key for key in map(str, range(99)) if partition_of(REFERRAL, key) == 0)
    await wire.publish(toy, times=2)
    owner = wire.owner(WORKING)

    await drain(wire, owner, expected=2)
    dead = await until_held(wire, owner, events=len(STRANGE) - 1)

    assert {one.state for one in dead} == {"dead"}
    assert {key for _, key, _ in await effects(wire.consumer)} == {toy}


async def test_a_record_whose_header_has_no_name_in_utf_8_is_held_under_its_place_and_nobody_else_waits(
    wire: Wire,
) -> None:
    partitions = {partition_of(REFERRAL, str(number)): str(number) for number in range(99)}
    for number in range(6):
        await wire.publish(partitions[number])
    await _put_header(_address(wire), b"\xff\xfe", partition=0)
    for number in range(6):
        await wire.publish(partitions[number])
    owner = wire.owner(WORKING)

    await drain(wire, owner, expected=12)
    (held,) = await until_held(wire, owner)

    assert (held.key, held.state) == (f"{REFERRAL}/0/1", "dead")
    assert held.error.startswith("MalformedEvent")
    tail = Tail(_address(wire), [REFERRAL])
    assert len([record async for record in tail.newer()]) == 13
    await tail.close()
    await eventually(lambda: _all_read(wire), within=WITHIN)


async def test_records_that_are_gone_are_told_loudly_and_the_rest_is_read(wire: Wire) -> None:
    await wire.publish("p1", times=3)
    await drain(wire, wire.owner(WORKING), expected=3)
    await wire.leave()
    await wire.publish("p1", times=4)
    await _remove_before(wire, "p1", offset=5)

    with structlog.testing.capture_logs() as told:
        await drain(wire, wire.owner(WORKING), expected=5)

    (gap,) = [entry for entry in told if entry["event"] == "log.gap"]
    assert (gap["log_level"], gap["topic"], gap["expected"], gap["found"]) == ("error", REFERRAL, 3, 5)


async def _remove_before(wire: Wire, key: str, *, offset: int) -> None:
    place = TopicPartition(_address(wire).topic(REFERRAL), partition_of(REFERRAL, key))
    admin = AIOKafkaAdminClient(bootstrap_servers=_address(wire).bootstrap)
    await admin.start()
    try:
        await admin.delete_records({place: RecordsToDelete(before_offset=offset)})
    finally:
        await admin.close()


async def _put_header(address: KafkaAddress, name: bytes, *, partition: int) -> None:
    """Produce a record with a header of this name, which no client of ours would."""
    builder = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, -1, 1000)
    builder.append(0, timestamp=1, key=b"p7", value=b"{}", headers=[("x" * len(name), b"")])
    batch = bytes(builder.build()).replace(b"x" * len(name), name)
    # The checksum covers what follows it.
    batch = batch[:17] + calc_crc32c(batch[21:]).to_bytes(4, "big") + batch[21:]
    client = AIOKafkaClient(bootstrap_servers=address.bootstrap)
    await client.bootstrap()
    topic = address.topic(REFERRAL)
    await client.add_topic(topic)
    leader = client.cluster.leader_for_partition(TopicPartition(topic, partition))
    request = ProduceRequest(None, -1, 5000, [(topic, [(partition, batch)])])
    answer = await client.send(leader, request)
    assert answer.topics[0][1][0][1] == 0
    await client.close()


async def _all_read(wire: Wire) -> bool:
    return await wire.lag() == 0


def _address(wire: Wire) -> KafkaAddress:
    assert isinstance(wire.transport, KafkaTransport)
    return wire.transport.address
