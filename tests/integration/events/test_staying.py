"""A relay whose events stay in part: what lies in its own database is moved there, only the rest is sent."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio

from shared import failpoints
from shared.db import Database, Transaction
from shared.events.outbox import publishing, watermark
from shared.events.outbox.leader_election import NotLeader
from shared.events.outbox.relay import BATCH, Relay
from shared.events.topics import CARETEAM, FEED, NOTIFICATIONS
from shared.events.transport import event_log
from shared.events.transport.base import OutboxRow
from shared.ids import new_text_id
from tests.conftest import MakeDatabase
from tests.support.events import METADATA, count
from tests.support.eventually import eventually
from tests.support.roundtrips import round_trips
from tests.support.sql import sql


@dataclass
class Road:
    """A transport that lets the feed stay and sends the rest nowhere; `broken` is what sending raises."""

    sent: list[str] = field(default_factory=list)
    woken: list[str] = field(default_factory=list)
    broken: Exception | None = None

    def in_place(self, publisher: str) -> frozenset[str]:
        return frozenset({FEED}) if publisher == "notifications" else frozenset()

    async def send(self, tx: Transaction, rows: Sequence[OutboxRow]) -> None:
        if self.broken is not None:
            raise self.broken
        self.sent += [row.key for row in rows]

    def subscribe(self, database: Database, *, group: str, topics: Sequence[str]) -> Any:
        raise NotImplementedError

    async def close(self) -> None: ...


@pytest_asyncio.fixture
async def database(make_database: MakeDatabase) -> Database:
    return await make_database(METADATA, name="notifications")


@pytest.fixture
def road(database: Database) -> Road:
    made = Road()
    database.tell_readers = made.woken.append
    return made


@pytest_asyncio.fixture
async def relay(database: Database, road: Road) -> AsyncIterator[Relay]:
    """A relay that leads, and has looked once."""
    made = Relay(database, road)
    await made.step()
    yield made
    await made.stop()


async def put(tx: Transaction, topic: str, key: str) -> None:
    await publishing.append(tx, topic=topic, records=[(new_text_id(), key, new_text_id(), "toy", b"{}")])


async def leave(database: Database, *rows: tuple[str, str]) -> None:
    """Leave events of these topics and keys in the outbox."""
    async with database.transaction() as tx:
        for topic, key in rows:
            await put(tx, topic, key)


async def feed(database: Database) -> list[str]:
    return [record.key for record in await event_log.read(database, FEED, offset=0, limit=10_000)]


async def test_each_goes_its_way_in_order(database: Database, road: Road, relay: Relay) -> None:
    topics = (FEED, NOTIFICATIONS, FEED, FEED, NOTIFICATIONS)
    await leave(database, *((topic, f"p{number}") for number, topic in enumerate(topics)))
    assert not await relay.step()

    assert await feed(database) == ["p0", "p2", "p3"]
    assert road.sent == ["p1", "p4"]
    assert road.woken == [FEED]
    assert await count(database, "outbox") == 0


async def test_more_than_a_batch_of_either_is_gone_on_with(
    database: Database, road: Road, relay: Relay
) -> None:
    await leave(database, *[(NOTIFICATIONS, "p1")] * (BATCH + 1), (FEED, "p1"))
    assert await relay.step()
    assert not await relay.step()
    await leave(database, *[(FEED, "p1")] * (BATCH + 1), (NOTIFICATIONS, "p1"))
    assert await relay.step()
    assert not await relay.step()

    assert (len(road.sent), len(await feed(database))) == (BATCH + 2, BATCH + 2)


@pytest.mark.parametrize(
    ("waiting", "trips"),
    [
        ([], 1),
        ([FEED], 1),
        ([FEED] * 30, 1),
        ([NOTIFICATIONS], 6),
        ([NOTIFICATIONS, FEED], 6),
    ],
)
async def test_what_stays_costs_one_round_trip_and_nothing_is_asked_for_what_is_not_there(
    database: Database, relay: Relay, waiting: list[str], trips: int
) -> None:
    found = []
    for _ in range(2):
        await leave(database, *((topic, "p1") for topic in waiting))
        with round_trips() as counted:
            await relay.step()
        found.append(counted.total() - counted["prepare"])
    assert found[-1] == trips


async def test_a_service_of_which_nothing_stays_pays_nothing_for_it(make_database: MakeDatabase) -> None:
    database = await make_database(METADATA, name="careteam")
    relay = Relay(database, Road())
    found = []
    for waiting in ((), ((CARETEAM, "p1"),), (), ((CARETEAM, "p1"),)):
        await leave(database, *waiting)
        with round_trips() as counted:
            await relay.step()
        found.append(counted.total() - counted["prepare"])
    await relay.stop()
    assert found[2:] == [1, 5]


async def test_what_cannot_be_sent_does_not_keep_what_stays(
    database: Database, road: Road, relay: Relay
) -> None:
    road.broken = ConnectionError()
    await leave(database, (NOTIFICATIONS, "p1"), (FEED, "p1"))
    with pytest.raises(ConnectionError):
        await relay.step()
    assert await feed(database) == ["p1"]
    assert await count(database, "outbox") == 1

    road.broken = None
    await relay.step()
    assert road.sent == ["p1"]
    assert await feed(database) == ["p1"]


async def test_what_could_not_be_sent_is_found_however_much_was_moved_meanwhile(
    database: Database, road: Road, relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watermark, "_SWEEP", 1e9)
    await leave(database, (NOTIFICATIONS, "p1"))
    road.broken = ConnectionError()
    for _ in range(6):
        await leave(database, *[(FEED, "p1")] * 400)
        with pytest.raises(ConnectionError):
            await relay.step()
    road.broken = None
    await relay.step()
    assert (road.sent, len(await feed(database))) == (["p1"], 2400)


@pytest.mark.parametrize(("late", "busy"), [(NOTIFICATIONS, FEED), (FEED, NOTIFICATIONS)])
async def test_a_row_that_comes_late_is_found_however_many_went_the_other_way(
    database: Database, road: Road, relay: Relay, late: str, busy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watermark, "_SWEEP", 1e9)
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def write_slowly() -> None:
        async with database.transaction() as tx:
            await put(tx, late, "slow")
            begun.set()
            await go_on.wait()

    writing = asyncio.create_task(write_slowly())
    await begun.wait()
    for _ in range(3):
        await leave(database, *[(busy, "busy")] * 700)
        while await relay.step():
            pass
    go_on.set()
    await writing
    await leave(database, (late, "slow again"))
    await relay.step()

    arrived = road.sent if late == NOTIFICATIONS else await feed(database)
    assert [key for key in arrived if key != "busy"] == ["slow", "slow again"]


@pytest.mark.parametrize(("mine", "other"), [(NOTIFICATIONS, FEED), (FEED, NOTIFICATIONS)])
async def test_what_went_the_other_way_is_not_looked_through_again(
    database: Database, relay: Relay, mine: str, other: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watermark, "_SWEEP", 1e9)
    await leave(database, *[(other, "p1")] * 3000)
    while await relay.step():
        pass
    mark = relay._sending if mine == NOTIFICATIONS else relay._moving

    async def proved() -> bool:
        await leave(database, (other, "p1"))
        await relay.step()
        return mark.begin() > 1000

    # A transaction that runs meanwhile, in whichever database of the server, puts the proof off.
    await eventually(proved, within=30)


@pytest.mark.parametrize("topic", [FEED, NOTIFICATIONS])
async def test_a_deposed_relay_does_neither(database: Database, road: Road, relay: Relay, topic: str) -> None:
    await leave(database, (topic, "p1"))
    async with database.transaction() as tx:
        await sql(tx, "UPDATE relay_epoch SET epoch = epoch + 1")
    with pytest.raises(NotLeader):
        await relay.step()
    assert (road.sent, await feed(database), await count(database, "outbox")) == ([], [], 1)


async def test_a_relay_deposed_between_the_two_sends_nothing(
    database: Database, road: Road, relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    await leave(database, (FEED, "p1"), (NOTIFICATIONS, "p1"))
    move = relay.election.move

    async def and_lose(**asked: Any) -> Any:
        moved = await move(**asked)
        async with database.transaction() as tx:
            await sql(tx, "UPDATE relay_epoch SET epoch = epoch + 1")
        return moved

    monkeypatch.setattr(relay.election, "move", and_lose)
    with pytest.raises(NotLeader):
        await relay.step()
    assert (road.sent, await feed(database), await count(database, "outbox")) == ([], ["p1"], 1)


@pytest.fixture
def disarmed() -> Iterator[None]:
    yield
    failpoints.arm({})


@pytest.mark.usefixtures("disarmed")
@pytest.mark.parametrize(
    ("topic", "points"),
    [
        (FEED, {"before_send": 1, "relayed": 0}),
        (NOTIFICATIONS, {"before_send": 1, "acked_not_deleted": 1, "deleted_not_committed": 1, "relayed": 0}),
    ],
)
async def test_a_relay_dies_at_each_point_of_either_way(
    database: Database, road: Road, relay: Relay, topic: str, points: dict[str, int]
) -> None:
    for point, left in points.items():
        await leave(database, (topic, "p1"))
        waiting = await count(database, "outbox")
        failpoints.arm({failpoints.VARIABLE: f"{point}:raise"})
        with pytest.raises(failpoints.PointReached):
            await relay.step()
        assert await count(database, "outbox") == left * waiting
        failpoints.arm({})
        await relay.step()
        assert await count(database, "outbox") == 0
