"""A wake-up in this process brings what there is to read; whatever it does not bring is read from the log."""

from unittest.mock import patch

from shared.db import Transaction
from shared.events.topics import REFERRAL
from shared.events.transport import event_log
from shared.events.transport.base import Batch, OutboxRow
from shared.events.transport.postgres_log import LogSubscription
from shared.ids import new_text_id
from tests.conftest import MakeDatabase
from tests.support.wire import GROUP, EmbeddedWire


async def reader(wire: EmbeddedWire) -> LogSubscription:
    """Give a subscription that has read everything."""
    subscription = wire.transport.subscribe(wire.consumer, group=GROUP, topics=(REFERRAL,))
    assert await subscription.next_batch(limit=10) is None
    return subscription


async def keys(subscription: LogSubscription) -> list[str]:
    batch = await subscription.next_batch(limit=10)
    assert isinstance(batch, Batch)
    subscription.passed(batch)
    return [record.key for record in batch.records]


async def append_unheard(wire: EmbeddedWire, key: str) -> None:
    """Append a record as another process does whose notice is lost."""
    row = OutboxRow(id=0, event_id=new_text_id(), topic=REFERRAL, key=key, headers={}, value=b"")
    with patch.object(Transaction, "call_back"):
        async with wire.publisher.transaction() as tx:
            await event_log.append(tx, REFERRAL, [row])


async def test_what_the_relay_moves_is_not_read_from_the_log_again(make_database: MakeDatabase) -> None:
    wire = await EmbeddedWire.make(make_database)
    subscription = await reader(wire)
    await wire.publish("p1", "p2")
    before = wire.publisher.round_trips

    assert await keys(subscription) == ["p1", "p2"]
    assert wire.publisher.round_trips == before


async def test_what_another_process_appended_before_it_is_not_left_out(make_database: MakeDatabase) -> None:
    wire = await EmbeddedWire.make(make_database)
    subscription = await reader(wire)
    await append_unheard(wire, "unheard")
    await wire.publish("p1")

    assert await keys(subscription) == ["unheard", "p1"]


async def test_a_reader_that_is_behind_reads_the_log_and_nothing_comes_twice(
    make_database: MakeDatabase,
) -> None:
    wire = await EmbeddedWire.make(make_database)
    await wire.publish("p1")
    subscription = wire.transport.subscribe(wire.consumer, group=GROUP, topics=(REFERRAL,))
    await wire.publish("p2")

    assert await keys(subscription) == ["p1", "p2"]
    await wire.publish("p3")
    await wire.publish("p4")
    assert await keys(subscription) == ["p3", "p4"]
    assert await subscription.next_batch(limit=10) is None


async def test_records_are_returned_only_to_a_relay_whose_readers_are_in_its_process(
    make_database: MakeDatabase,
) -> None:
    wire = await EmbeddedWire.make(make_database)
    assert event_log.read_here(wire.publisher) == []
    subscription = await reader(wire)
    assert event_log.read_here(wire.publisher) == [REFERRAL]
    await subscription.close()
    assert event_log.read_here(wire.publisher) == []
