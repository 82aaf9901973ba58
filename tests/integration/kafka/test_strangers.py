"""Records that somebody else wrote, and records that are gone: held or told, and the others go on."""

import structlog
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from shared.events.topics import REFERRAL
from shared.events.transport.kafka.address import KafkaAddress
from shared.events.transport.kafka.producer import partition_of
from shared.events.transport.kafka.transport import KafkaTransport
from tests.support.events import effects
from tests.support.transports import WORKING, Wire, drain, until_held

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


def _address(wire: Wire) -> KafkaAddress:
    assert isinstance(wire.transport, KafkaTransport)
    return wire.transport._connection.address
