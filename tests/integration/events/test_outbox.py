"""The outbox: rows beside the cause, in the order of the calls."""

import asyncio
import contextlib
import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

import pytest

from shared.context import Context
from shared.db import Database, Transaction
from shared.events.envelope import Event
from shared.events.message import LARGEST_VALUE
from shared.events.outbox import publishing
from shared.events.outbox.publishing import Publication
from shared.ids import new_text_id
from tests.conftest import MakeDatabase
from tests.support.events import (
    BY_A_TEST,
    METADATA,
    NOON,
    Toy,
    Undone,
    basic,
    claim,
    claim_and_roll_back,
    claimed,
    count,
    new_toy,
)
from tests.support.sql import sql


async def test_a_rolled_back_transaction_publishes_nothing(make_database: MakeDatabase) -> None:
    database = await make_database(METADATA)
    toy = await new_toy(database)

    await claim_and_roll_back(database, toy, key="p1")

    assert await count(database, "outbox") == 0


async def test_a_raw_first_insert_is_rolled_back_with_the_rest(make_database: MakeDatabase) -> None:
    database = await make_database(METADATA)

    with contextlib.suppress(Undone):
        async with database.transaction() as tx:
            await tx.run("INSERT INTO effect (event_id, key, version) VALUES ('e', 'k', 1)")
            raise Undone

    assert await count(database, "effect") == 0


async def test_versions_are_dense_and_in_id_order_under_sixteen_writers(make_database: MakeDatabase) -> None:
    database = await make_database(METADATA)
    toys = [await new_toy(database) for _ in range(3)]

    async def write() -> None:
        for toy in toys:
            async with database.transaction() as tx:
                await claim(tx, toy, key=str(toy))
                await claim(tx, toy, key=str(toy))

    await asyncio.gather(*(write() for _ in range(16)))

    async with database.transaction() as tx:
        rows = (await sql(tx, "SELECT key, headers FROM outbox ORDER BY id")).all()
    for toy in toys:
        versions = [int(row.headers["ce_version"]) for row in rows if row.key == str(toy)]
        assert versions == list(range(1, 33))


async def test_rows_stand_in_the_order_of_the_calls(make_database: MakeDatabase) -> None:
    database = await make_database(METADATA)

    async with database.transaction() as tx:
        toys = [Toy() for _ in range(20)]
        await tx.insert(*toys)
        published = []
        for toy in reversed(toys):
            published += await publishing.publish(BY_A_TEST, tx, toy, claimed(toy, key="p1"))

    async with database.transaction() as tx:
        rows = (await sql(tx, "SELECT event_id FROM outbox ORDER BY id")).column()
    assert list(rows) == published


async def test_the_first_events_of_a_new_aggregate_give_it_its_version(make_database: MakeDatabase) -> None:
    database = await make_database(METADATA)
    toy = Toy()
    first = Publication(ctx=BY_A_TEST, of=toy, event=claimed(toy, key="p1"))

    async with database.transaction() as tx:
        published = await publishing.publish_first(tx, [first, first])
        await tx.insert(toy)
        published.append(await claim(tx, toy.id, key="p1"))

    async with database.transaction() as tx:
        rows = (await sql(tx, "SELECT event_id, headers FROM outbox ORDER BY id")).all()
    assert [row.event_id for row in rows] == published
    assert [row.headers["ce_version"] for row in rows] == ["1", "2", "3"]


async def times_of(database: Database) -> list[tuple[str, str]]:
    """Give the time of each event in the outbox, of its envelope and of its message."""
    async with database.transaction() as tx:
        rows = (await sql(tx, "SELECT headers, value FROM outbox ORDER BY id")).all()
    return [(row.headers["ce_time"], json.loads(row.value)["timestamp"]) for row in rows]


async def claim_at(tx: Transaction, toy_id: UUID, *times: datetime) -> None:
    """Lock an aggregate and publish an event at each of these times, by one statement."""
    toy = await tx.row(Toy, "SELECT * FROM toy WHERE id = $1 FOR UPDATE", toy_id)
    assert toy is not None
    contexts = [replace(BY_A_TEST, at=at) for at in times]
    event = claimed(toy, key="p1")
    await publishing.publish_all(tx, [Publication(ctx=ctx, of=toy, event=event) for ctx in contexts])


async def test_an_event_is_never_older_than_the_one_before_of_its_aggregate(
    make_database: MakeDatabase,
) -> None:
    database = await make_database(METADATA)
    mine, another = await new_toy(database), await new_toy(database)
    seconds = [NOON + timedelta(seconds=number) for number in range(4)]

    async with database.transaction() as tx:
        await claim_at(tx, mine, seconds[2])
    async with database.transaction() as tx:
        await claim_at(tx, mine, seconds[1], seconds[3], seconds[0])
        await claim_at(tx, another, seconds[0])
        await claim_at(tx, mine, seconds[1])

    told = await times_of(database)
    assert [datetime.fromisoformat(envelope) for envelope, _ in told] == [
        seconds[number] for number in (2, 2, 3, 3, 0, 3)
    ]
    assert [datetime.fromisoformat(message) for _, message in told] == [
        datetime.fromisoformat(envelope) for envelope, _ in told
    ]


async def test_the_first_events_of_a_new_aggregate_do_not_go_back_either(make_database: MakeDatabase) -> None:
    database = await make_database(METADATA)
    toy = Toy()
    times = [NOON + timedelta(seconds=number) for number in (1, 0)]
    event = claimed(toy, key="p1")

    async with database.transaction() as tx:
        made = [Publication(ctx=replace(BY_A_TEST, at=at), of=toy, event=event) for at in times]
        await publishing.publish_first(tx, made)
        await tx.insert(toy)
    async with database.transaction() as tx:
        await claim_at(tx, toy.id, NOON)

    assert [datetime.fromisoformat(envelope) for envelope, _ in await times_of(database)] == [times[0]] * 3


async def test_two_that_publish_at_once_do_not_go_back_whoever_began_first(
    make_database: MakeDatabase,
) -> None:
    database = await make_database(METADATA)
    toy = await new_toy(database)

    async def publish(number: int) -> None:
        async with database.transaction() as tx:
            await tx.value("SELECT pg_sleep(0.01)")
            await claim_at(tx, toy, NOON - timedelta(seconds=number), NOON + timedelta(seconds=number % 3))

    await asyncio.gather(*(publish(number) for number in range(16)))

    told = [envelope for envelope, _ in await times_of(database)]
    assert len(told) == 32
    assert told == sorted(told)


async def test_an_aggregate_that_has_published_is_no_new_one(make_database: MakeDatabase) -> None:
    database = await make_database(METADATA)
    toy = Toy(event_version=1)
    again = Publication(ctx=BY_A_TEST, of=toy, event=claimed(toy, key="p1"))

    with pytest.raises(ValueError, match="is no new one"):
        await publish_as_new(database, again)

    assert await count(database, "outbox") == 0


async def publish_as_new(database: Database, publication: Publication) -> None:
    async with database.transaction() as tx:
        await publishing.publish_first(tx, [publication])


async def test_the_row_is_the_event_that_was_published(make_database: MakeDatabase) -> None:
    database = await make_database(METADATA)
    toy = await new_toy(database)

    async with database.transaction() as tx:
        event_id = await claim(tx, toy, key="p1")

    async with database.transaction() as tx:
        row = (await sql(tx, "SELECT * FROM outbox")).one()
    event = Event.from_wire(key=row.key, headers=row.headers, value=row.value)
    assert (event.id, event.type, event.version, event.causation) == (event_id, "toy.claimed", 1, "test")
    assert event.subject == f"Basic/{toy}"
    assert event.focus == json.loads(json.dumps(basic(Toy(id=toy))))


@pytest.mark.parametrize(
    ("cause", "by_event"),
    [("01a22730-214f-70cf-8d7d-b6147ccc8d08", True), ("timer/review/7", False), ("start", False)],
)
async def test_an_event_says_whether_an_event_caused_it(
    make_database: MakeDatabase, cause: str, by_event: bool
) -> None:
    assert await published_because_of(make_database, replace(BY_A_TEST, cause=cause)) is by_event


async def test_an_event_of_a_request_says_that_no_event_caused_it(make_database: MakeDatabase) -> None:
    asked = replace(BY_A_TEST, cause=new_text_id(), principal=cast(Any, "a caller"))
    assert await published_because_of(make_database, asked) is False


async def published_because_of(make_database: MakeDatabase, ctx: Context) -> bool:
    database = await make_database(METADATA)
    async with database.transaction() as tx:
        toy = Toy()
        await tx.insert(toy)
        await publishing.publish(ctx, tx, toy, claimed(toy, key="p1"))
    async with database.transaction() as tx:
        row = (await sql(tx, "SELECT * FROM outbox")).one()
    return Event.from_wire(key=row.key, headers=row.headers, value=row.value).caused_by_event


async def test_the_relay_is_woken_after_the_commit_and_not_after_a_rollback(
    make_database: MakeDatabase,
) -> None:
    database = await make_database(METADATA)
    toy = await new_toy(database)
    woken: list[int] = []
    database.wake_relay = lambda: woken.append(1)

    await claim_and_roll_back(database, toy, key="p1")
    assert woken == []

    async with database.transaction() as tx:
        await claim(tx, toy, key="p1")
        assert woken == []
    assert woken == [1]


async def test_what_no_consumer_would_take_is_refused_and_nothing_is_written(
    make_database: MakeDatabase,
) -> None:
    database = await make_database(METADATA)

    with pytest.raises(publishing.EventTooLarge, match=r"toy.claimed would be of 40\d{5} bytes"):
        await publish_too_much(database)

    assert await count(database, "outbox") == 0


async def publish_too_much(database: Database) -> None:
    async with database.transaction() as tx:
        toy = Toy()
        await tx.insert(toy)
        large = {**basic(toy), "code": {"text": "x" * LARGEST_VALUE}}
        await publishing.publish(BY_A_TEST, tx, toy, claimed(toy, key="p1", focus=large))
