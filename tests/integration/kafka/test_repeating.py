"""Kafka may give all again, and a deposed relay may send again: nothing has a second effect."""

import asyncio
import random

from shared.db import Database
from shared.events.topics import REFERRAL
from shared.events.transport import positions
from shared.events.transport.base import OutboxRow
from shared.events.transport.kafka.transport import KafkaTransport
from tests.support.events import claim, effects, new_toy
from tests.support.sql import sql
from tests.support.transports import GROUP, WORKING, Wire, drain, versions


async def test_a_whole_topic_given_again_from_the_start_has_no_second_effect(wire: Wire) -> None:
    for key in ("p1", "p2", "p3"):
        await wire.publish(key, times=10)
    await drain(wire, wire.owner(WORKING), expected=30)
    before = await effects(wire.consumer)
    await wire.leave()

    assert await positions.set_back(wire.consumer, group=GROUP, topic=REFERRAL, offset=0)
    again = wire.owner(WORKING)
    await wire.publish("p4")
    await drain(wire, again, expected=31)
    while await wire.lag():
        await again.step()

    found = await effects(wire.consumer)
    assert [one for one in found if one[1] != "p4"] == before


async def test_a_deposed_relay_that_goes_on_sending_repeats_and_never_overtakes(wire: Wire) -> None:
    toys = {f"p{number}": await new_toy(wire.publisher) for number in range(4)}
    choose = random.Random(7)
    stale = wire.replica(9)
    wire.transports.append(stale)
    for _ in range(3):
        async with wire.publisher.transaction() as tx:
            for _ in range(60):
                key = choose.choice(list(toys))
                await claim(tx, toys[key], key=key)
        waiting = await _waiting(wire.publisher)
        await asyncio.gather(_send_slowly(wire, stale, waiting[:40]), wire.send_all())
    owner = wire.owner(WORKING)
    await drain(wire, owner, expected=180)
    while await wire.lag():
        await owner.step()

    found = await effects(wire.consumer)
    assert len(found) == 180
    for key in toys:
        assert versions(found, key) == list(range(1, len(versions(found, key)) + 1))


async def _send_slowly(wire: Wire, stale: object, rows: list[OutboxRow]) -> None:
    assert isinstance(stale, KafkaTransport)
    async with wire.publisher.transaction() as tx:
        for begin in range(0, len(rows), 8):
            await stale.send(tx, rows[begin : begin + 8])


async def _waiting(database: Database) -> list[OutboxRow]:
    async with database.transaction() as tx:
        found = await sql(tx, "SELECT id, event_id, topic, key, headers, value FROM outbox ORDER BY id")
        return [OutboxRow(**row._asdict()) for row in found]
