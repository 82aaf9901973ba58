"""Of several logs the one whose next record is oldest is read first."""

from collections.abc import Sequence

from shared.db import Database
from shared.events.topics import REFERRAL, SCHEDULING
from shared.events.transport import event_log
from shared.events.transport.base import OutboxRow
from shared.events.transport.postgres_log import LogSubscription, PostgresTransport
from shared.ids import new_text_id
from tests.conftest import MakeDatabase
from tests.support.events import CONSUMER_METADATA, METADATA


async def test_what_happened_first_is_read_first_whatever_log_it_stands_in(
    make_database: MakeDatabase,
) -> None:
    referral = await make_database(METADATA, name="referral")
    scheduling = await make_database(METADATA, name="scheduling")
    consumer = await make_database(CONSUMER_METADATA, name="careteam")
    transport = PostgresTransport({"referral": referral, "scheduling": scheduling})
    subscription = transport.subscribe(consumer, group="careteam", topics=(REFERRAL, SCHEDULING))
    for database, topic, names in (
        (scheduling, SCHEDULING, ["s1"]),
        (referral, REFERRAL, ["r1", "r2", "r3"]),
        (scheduling, SCHEDULING, ["s2"]),
        (referral, REFERRAL, ["r4"]),
    ):
        await _append(database, topic, names)

    found = [await _next(subscription, limit=1) for _ in range(6)]

    assert found == [["s1"], ["r1"], ["r2"], ["r3"], ["s2"], ["r4"]]
    await subscription.close()


async def _append(database: Database, topic: str, names: Sequence[str]) -> None:
    async with database.transaction() as tx:
        for name in names:
            event_id = new_text_id()
            headers = {"ce_id": event_id}
            row = OutboxRow(id=0, event_id=event_id, topic=topic, key=name, headers=headers, value=b"{}")
            await event_log.append(tx, topic, [row])


async def _next(subscription: LogSubscription, *, limit: int) -> list[str]:
    batch = await subscription.next_batch(limit=limit)
    assert batch is not None
    subscription.passed(batch)
    return [record.key for record in batch.records]
