"""On the embedded log a group's position moves with the effects of a batch, or not at all."""

from collections.abc import Sequence

import pytest

from shared.context import Context
from shared.db import Transaction
from shared.events.envelope import Event
from shared.events.inbox import deduplication
from shared.events.inbox.consumer import Consumer
from shared.events.inbox.deduplication import Admission
from shared.events.inbox.handling import NotYet
from shared.events.topics import REFERRAL
from shared.events.transport import positions
from shared.events.transport.postgres_log import LogSubscription
from tests.conftest import MakeDatabase
from tests.support.events import count, effects, record
from tests.support.wire import GROUP, EmbeddedWire


async def record_unless_early(ctx: Context, tx: Transaction, event: Event) -> None:
    await record(ctx, tx, event)
    if event.key == "early":
        raise NotYet


async def position(wire: EmbeddedWire) -> int:
    rows = await wire.consumer.fetch("SELECT next_offset FROM group_position")
    return rows[0][0] if rows else 0


def owner(wire: EmbeddedWire) -> Consumer:
    return wire.owner({"toy.claimed": record_unless_early})


async def test_it_stands_behind_the_batch_without_a_transaction_of_its_own(
    make_database: MakeDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    wire = await EmbeddedWire.make(make_database)
    monkeypatch.setattr(LogSubscription, "write_down", None)
    reader = owner(wire)
    for expected in (2, 4):
        await wire.publish("p1", "p2")
        await reader.step()
        assert await position(wire) == expected
    assert len(await effects(wire.consumer)) == 4


async def test_it_does_not_move_with_effects_that_are_rolled_back(
    make_database: MakeDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    wire = await EmbeddedWire.make(make_database)
    admit = deduplication.admit

    async def admit_and_die(tx: Transaction, **asked: object) -> Admission:
        await admit(tx, **asked)  # type: ignore[arg-type]
        raise ConnectionResetError

    await wire.publish("p1", "p2")
    reader = owner(wire)
    with monkeypatch.context() as dying:
        dying.setattr(deduplication, "admit", admit_and_die)
        with pytest.raises(ConnectionResetError):
            await reader.step()
    assert await position(wire) == 0
    await reader.step()
    assert (await position(wire), len(await effects(wire.consumer))) == (2, 2)


@pytest.mark.parametrize("keys", [("early", "p1", "p2"), ("p1", "early", "p2"), ("p1", "p2", "early")])
async def test_it_stands_behind_a_batch_of_which_one_event_was_held(
    make_database: MakeDatabase, keys: Sequence[str]
) -> None:
    wire = await EmbeddedWire.make(make_database)
    await wire.publish(*keys)
    await owner(wire).step()
    assert [key for _, key, _ in await effects(wire.consumer)] == ["p1", "p2"]
    assert await count(wire.consumer, "held_event") == 1
    assert await position(wire) == 3


async def test_it_stays_where_somebody_set_it_back(make_database: MakeDatabase) -> None:
    wire = await EmbeddedWire.make(make_database)
    reader = owner(wire)
    await wire.publish("p1", "p2")
    await reader.step()
    await wire.publish("p3")
    reader._in_hand = await reader._subscription.next_batch(limit=10)
    assert await positions.set_back(wire.consumer, group=GROUP, topic=REFERRAL, offset=0)

    await reader.step()
    assert await position(wire) == 0
    while await position(wire) < 3:
        await reader.step()
    assert [key for _, key, _ in await effects(wire.consumer)] == ["p1", "p2", "p3"]
