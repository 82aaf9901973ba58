"""On every transport: where a group stands lies in its own database and moves with the effects."""

import structlog

from shared.events.inbox.consumer import Consumer
from shared.events.topics import REFERRAL
from shared.events.transport import positions
from shared.events.transport.base import Batch, Subscription
from tests.support.events import effects
from tests.support.transports import GROUP, WORKING, Wire, drain, next_batch, versions


async def position(wire: Wire) -> int:
    """Give the group's positions in all partitions together."""
    return sum((await positions.read(wire.consumer, group=GROUP)).values())


async def in_hand(wire: Wire) -> tuple[Subscription, Consumer, Batch]:
    """Let an owner fetch a batch of three and handle nothing of it yet."""
    await wire.publish("p1", times=3)
    subscription = wire.subscribe()
    batch = await next_batch(subscription)
    return subscription, wire.owner(WORKING, subscription=subscription), batch


async def test_the_position_stands_behind_a_batch_as_soon_as_its_effects_do(wire: Wire) -> None:
    _, consumer, batch = await in_hand(wire)
    assert await position(wire) == 0

    await consumer.handle(batch)

    assert (await position(wire), len(await effects(wire.consumer))) == (3, 3)


async def test_a_batch_whose_position_another_owner_moved_has_no_effect(wire: Wire) -> None:
    _, consumer, batch = await in_hand(wire)
    async with wire.consumer.transaction() as tx:
        await positions.move(tx, group=GROUP, moves=batch.moves)

    await consumer.handle(batch)

    assert await effects(wire.consumer) == []
    await wire.publish("p1", times=2)
    await drain(wire, consumer, expected=2)
    assert await position(wire) == 5


async def test_a_position_that_an_operator_set_back_stays_there_and_is_read_from(wire: Wire) -> None:
    subscription, consumer, batch = await in_hand(wire)
    await consumer.handle(batch)
    await wire.publish("p1", times=2)
    batch = await next_batch(subscription)
    assert await positions.set_back(wire.consumer, group=GROUP, topic=REFERRAL, offset=1) == 1

    await consumer.handle(batch)

    assert await position(wire) == 1
    await drain(wire, consumer, expected=5)
    assert versions(await effects(wire.consumer), "p1") == [1, 2, 3, 1, 2]


async def test_events_that_a_group_does_not_handle_cost_it_no_transaction(wire: Wire) -> None:
    subscription, _, batch = await in_hand(wire)
    bystander = wire.owner({}, subscription=subscription)
    before = wire.consumer.round_trips

    await bystander.handle(batch)

    assert wire.consumer.round_trips == before
    assert await wire.lag() == 0


async def test_what_was_passed_without_an_effect_is_written_down_at_the_end(wire: Wire) -> None:
    subscription, _, batch = await in_hand(wire)
    await wire.owner({}, subscription=subscription).handle(batch)
    assert await position(wire) == 0

    await wire.leave()

    assert await position(wire) == 3


async def test_what_was_passed_without_an_effect_moves_with_the_next_effect(wire: Wire) -> None:
    subscription, _, batch = await in_hand(wire)
    await wire.owner({}, subscription=subscription).handle(batch)
    await wire.publish("p1")

    await wire.owner(WORKING, subscription=subscription).handle(await next_batch(subscription))

    assert (await position(wire), len(await effects(wire.consumer))) == (4, 1)


async def test_a_position_beyond_the_log_s_end_is_logged_and_the_log_read_from_its_beginning(
    wire: Wire,
) -> None:
    _, consumer, batch = await in_hand(wire)
    await consumer.handle(batch)
    await wire.leave()
    async with wire.consumer.transaction() as tx:
        await tx.records("UPDATE group_position SET next_offset = next_offset + 1000 WHERE next_offset > 0")

    with structlog.testing.capture_logs() as lines:
        newcomer = wire.owner(WORKING)
        await wire.publish("p1")
        await drain(wire, newcomer, expected=4)

    (gap,) = [line for line in lines if line["event"] == "log.gap"]
    assert (gap["expected"], gap["found"], gap["runbook"]) == (1003, 0, "RecordsGone")
