"""Events taken together, a handler that hangs, and what a hop costs."""

import asyncio
from datetime import timedelta

from shared.context import Context
from shared.db import Transaction
from shared.events.envelope import Event
from shared.events.inbox import dead_letters
from shared.events.inbox.handling import BatchHandler, EventBatch, NotYet
from shared.events.outbox.relay import Relay
from tests.conftest import MakeDatabase
from tests.support.events import claim, count, effects, new_toy, record
from tests.support.roundtrips import round_trips
from tests.support.sql import sql
from tests.support.wire import EmbeddedWire

SOON = timedelta(milliseconds=200)


class Impatient:
    """A handler of runs to which some events come too early."""

    def __init__(self, *, early: set[str]) -> None:
        self.runs: list[int] = []
        self._early = early

    async def handle(self, _: Context, tx: Transaction, run: EventBatch) -> None:
        self.runs.append(len(run))
        for heard in run:
            if heard.event.id in self._early:
                run.defer(NotYet())
            else:
                await record(heard.ctx, tx, heard.event)


class Recording:
    """A handler of runs that notes how many it got, and refuses one key, at its place or nowhere."""

    def __init__(
        self, *, refused: str = "", error: Exception | None = None, at_its_place: bool = True
    ) -> None:
        self.runs: list[int] = []
        self._refused = refused
        self._error = error or ValueError()
        self._at_its_place = at_its_place

    async def handle(self, _: Context, tx: Transaction, run: EventBatch) -> None:
        self.runs.append(len(run))
        keys = []
        for heard in run:
            await record(heard.ctx, tx, heard.event)
            keys.append(heard.event.key)
            if self._at_its_place and heard.event.key == self._refused:
                raise self._error
        if self._refused in keys:
            raise self._error


async def test_events_of_one_handler_are_taken_together(make_database: MakeDatabase) -> None:
    wire = await EmbeddedWire.make(make_database)
    published = await wire.publish("p1", "p2", "p3")
    recording = Recording()

    await wire.owner({"toy.claimed": BatchHandler(recording.handle)}).step()

    assert recording.runs == [3]
    assert [event_id for event_id, _, _ in await effects(wire.consumer)] == published


async def test_the_one_that_fails_in_a_run_is_held_and_the_others_are_handled(
    make_database: MakeDatabase,
) -> None:
    wire = await EmbeddedWire.make(make_database)
    await wire.publish("p1", "p2", "p3", "p4")
    recording = Recording(refused="p3", error=NotYet())

    await wire.owner({"toy.claimed": BatchHandler(recording.handle)}).step()

    assert recording.runs == [4, 2, 1, 1]
    assert [key for _, key, _ in await effects(wire.consumer)] == ["p1", "p2", "p4"]
    assert [key.key for key in await dead_letters.list_keys(wire.consumer)] == ["p3"]


async def test_all_that_came_too_early_in_a_run_are_held_at_once(make_database: MakeDatabase) -> None:
    wire = await EmbeddedWire.make(make_database)
    published = await wire.publish("p1", "p2", "p3", "p4", "p5", "p6")
    impatient = Impatient(early={published[1], published[3]})

    await wire.owner({"toy.claimed": BatchHandler(impatient.handle)}).step()

    assert impatient.runs == [6, 4]
    assert [key for _, key, _ in await effects(wire.consumer)] == ["p1", "p3", "p5", "p6"]
    held = await dead_letters.list_keys(wire.consumer)
    assert [(key.key, key.state, key.attempts) for key in held] == [
        ("p2", "retrying", 0),
        ("p4", "retrying", 0),
    ]


async def test_what_follows_an_early_event_on_its_key_waits_behind_it(make_database: MakeDatabase) -> None:
    wire = await EmbeddedWire.make(make_database)
    published = await wire.publish("p1", "p2", "p1", "p1", "p2", "p1")
    impatient = Impatient(early={published[2]})

    await wire.owner({"toy.claimed": BatchHandler(impatient.handle)}).step()

    handled = [event_id for event_id, _, _ in await effects(wire.consumer)]
    assert handled == [published[0], published[1], published[4]]
    held = await wire.consumer.fetch("SELECT event_id FROM held_event ORDER BY seq")
    assert [row["event_id"] for row in held] == [published[2], published[3], published[5]]


async def test_a_run_of_one_that_came_too_early_is_held_as_such(make_database: MakeDatabase) -> None:
    wire = await EmbeddedWire.make(make_database)
    published = await wire.publish("p1")

    await wire.owner({"toy.claimed": BatchHandler(Impatient(early={*published}).handle)}).step()

    (held,) = await dead_letters.list_keys(wire.consumer)
    assert (held.state, held.attempts, held.error.partition(" ")[0]) == ("retrying", 0, "NotYet")


async def test_a_run_that_fails_as_a_whole_is_handled_one_by_one(make_database: MakeDatabase) -> None:
    wire = await EmbeddedWire.make(make_database)
    await wire.publish("p1", "p2", "p3")
    recording = Recording(refused="p2", at_its_place=False)

    await wire.owner({"toy.claimed": BatchHandler(recording.handle)}).step()

    assert recording.runs == [3, 1, 1, 1]
    assert [key for _, key, _ in await effects(wire.consumer)] == ["p1", "p3"]


async def test_a_handler_that_hangs_is_given_up_and_its_event_held(make_database: MakeDatabase) -> None:
    wire = await EmbeddedWire.make(make_database)
    hanging, *_ = await wire.publish("p1", "p2")

    async def handler(ctx: Context, tx: Transaction, event: Event) -> None:
        await record(ctx, tx, event)
        if event.id == hanging:
            await asyncio.Event().wait()

    async with asyncio.timeout(30):
        await wire.owner({"toy.claimed": handler}, at_most=SOON).step()

    assert [key for _, key, _ in await effects(wire.consumer)] == ["p2"]
    (held,) = await dead_letters.list_keys(wire.consumer)
    assert (held.key, held.state, held.attempts) == ("p1", "retrying", 1)
    assert held.error.startswith("TookTooLong")


async def test_a_run_that_hangs_holds_the_one_that_hangs(make_database: MakeDatabase) -> None:
    wire = await EmbeddedWire.make(make_database)
    await wire.publish("p1", "p2")

    async def handle(_: Context, tx: Transaction, run: EventBatch) -> None:
        for heard in run:
            await record(heard.ctx, tx, heard.event)
            if heard.event.key == "p1":
                await sql(tx, "SELECT pg_sleep(60)")

    async with asyncio.timeout(30):
        await wire.owner({"toy.claimed": BatchHandler(handle)}, at_most=SOON).step()

    assert [key for _, key, _ in await effects(wire.consumer)] == ["p2"]


async def test_the_relay_moves_a_batch_in_one_round_trip(make_database: MakeDatabase) -> None:
    wire = await EmbeddedWire.make(make_database)
    relay = Relay(wire.publisher, wire.transport)
    await _publish_and_relay(wire, relay)

    with round_trips() as counted:
        await relay.step()
    assert counted.total() == 1
    await relay.stop()


async def test_the_relay_asks_once_where_there_is_nothing(make_database: MakeDatabase) -> None:
    wire = await EmbeddedWire.make(make_database)
    relay = Relay(wire.publisher, wire.transport)
    await relay.step()

    with round_trips() as counted:
        assert not await relay.step()
    assert counted.total() == 1
    await relay.stop()


async def test_a_batch_costs_its_reader_the_same_round_trips_whatever_its_size(
    make_database: MakeDatabase,
) -> None:
    async def nothing(ctx: Context, tx: Transaction, run: EventBatch) -> None:
        for _ in run:
            pass

    wire = await EmbeddedWire.make(make_database)
    owner = wire.owner({"toy.claimed": BatchHandler(nothing)})
    await wire.publish("p0")
    await owner.step()
    found = []
    for number in (1, 40):
        await wire.publish(*(f"p{one}" for one in range(number)))
        with round_trips() as counted:
            await owner.step()
        found.append(counted.total())

    assert found[0] == found[1]
    assert found[0] <= 4
    assert await count(wire.consumer, "inbox") == 42


async def _publish_and_relay(wire: EmbeddedWire, relay: Relay) -> None:
    """Let the relay lead and know its statement, and leave a batch in the outbox."""
    await relay.step()
    toy = await new_toy(wire.publisher)
    async with wire.publisher.transaction() as tx:
        for _ in range(30):
            await claim(tx, toy, key="p1")
