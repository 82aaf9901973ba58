"""Members of a group that come, go and come back: every event has its effect once and in its order."""

import asyncio
import random

from structlog.testing import capture_logs

from shared.events.inbox.consumer import Consumer
from shared.events.polling_loop import PollingLoop
from shared.events.topics import REFERRAL
from tests.support.events import claim, effects, new_toy
from tests.support.eventually import eventually
from tests.support.transports import GROUP, WITHIN, WORKING, Wire, drain, versions


async def test_members_come_and_go_while_events_flow(wire: Wire) -> None:
    toys = {f"p{number}": await new_toy(wire.publisher) for number in range(12)}
    first = _running(wire.owner(WORKING))
    choose = random.Random(3)

    async def write(number: int) -> None:
        for _ in range(number):
            key = choose.choice(list(toys))
            async with wire.publisher.transaction() as tx:
                await claim(tx, toys[key], key=key)
            await wire.relay.step()

    await write(60)
    second = _running(wire.owner(WORKING))
    await write(60)
    await _stop(second)
    await wire.open.pop().close()
    third = _running(wire.owner(WORKING))
    await write(60)
    await wire.send_all()
    await eventually(lambda: _all_had(wire, 180), within=WITHIN)
    await _stop(first)
    await _stop(third)

    found = await effects(wire.consumer)
    assert len(found) == 180
    for key in toys:
        assert versions(found, key) == list(range(1, len(versions(found, key)) + 1))


async def test_a_member_that_comes_back_gets_its_partitions_without_a_rebalance(wire: Wire) -> None:
    stays, leaves = wire.subscribe(), wire.subscribe()
    owners = [wire.owner(WORKING, subscription=one) for one in (stays, leaves)]
    for number in range(12):
        await wire.publish(f"p{number}")
    await drain(wire, *owners, expected=12)
    await wire.open.pop().close()

    back = wire.owner(WORKING)
    for number in range(12):
        await wire.publish(f"q{number}")
    with capture_logs() as lines:
        await drain(wire, owners[0], back, expected=24)

    # Only the one that came back was assigned anything.
    assert len([line for line in lines if line["event"] == "kafka.assigned"]) == 1


async def test_a_batch_in_hand_is_finished_before_its_partition_goes(wire: Wire) -> None:
    await wire.publish("p1", times=3)
    first = wire.subscribe()
    owner = wire.owner(WORKING, subscription=first)
    await drain(wire, owner, expected=3)
    newcomer = _running(wire.owner(WORKING))
    await wire.publish("p1", times=3)
    await drain(wire, owner, expected=6)
    await _stop(newcomer)
    await eventually(lambda: _nothing_waits(wire), within=WITHIN)

    assert versions(await effects(wire.consumer), "p1") == [1, 2, 3, 1, 2, 3]


def _running(owner: Consumer) -> tuple[PollingLoop, asyncio.Task[None]]:
    repetition = PollingLoop("consumer", owner.step, pause=lambda: 0)
    return repetition, asyncio.create_task(repetition.run())


async def _stop(running: tuple[PollingLoop, asyncio.Task[None]]) -> None:
    running[0].stop()
    await running[1]


async def _all_had(wire: Wire, expected: int) -> bool:
    return len(await effects(wire.consumer)) >= expected


async def _nothing_waits(wire: Wire) -> bool:
    return await wire.lag() == 0


async def test_of_two_with_the_same_number_one_reads_and_the_other_names_the_setting(wire: Wire) -> None:
    first, second = (wire.replica(0) for _ in range(2))
    wire.transports += (first, second)
    wire.open += [one.subscribe(wire.consumer, group=GROUP, topics=(REFERRAL,)) for one in (first, second)]
    with capture_logs() as lines:
        running = [_running(wire.owner(WORKING, subscription=wire.open[0]))]
        await wire.publish("p1", times=3)
        await eventually(lambda: _all_had(wire, 3), within=WITHIN)
        running.append(_running(wire.owner(WORKING, subscription=wire.open[1])))
        await eventually(
            lambda: [line for line in lines if line["event"] == "kafka.replica-twice"], within=WITHIN
        )
        await wire.publish("p1", times=3)
        await eventually(lambda: _all_had(wire, 6), within=WITHIN)
        for one in running:
            await _stop(one)
    told = [line for line in lines if line["event"] == "kafka.replica-twice"]
    assert [(line["log_level"], line["ref"]) for line in told] == [("warning", "LUMBAR_REPLICA:0")]
    assert [repetition.failures for repetition, _ in running] == [0, 0]
    assert versions(await effects(wire.consumer), "p1") == [1, 2, 3, 1, 2, 3]
