"""Streams that stand at one place read the feed together, and none of them for another's sake too little."""

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import pytest
import pytest_asyncio

from services.notifications.api import feed_reader, feed_stream
from services.notifications.api.feed_reader import FeedPage, FeedReader
from shared.auth.principal import Principal
from shared.runtime import Runtime
from tests.support.eventually import eventually
from tests.support.feed import (
    COORDINATOR,
    INSURER,
    OTHER_REFERRER,
    PHYSIATRIST,
    REFERRER,
    WITHIN,
    Hear,
    Reading,
    a_reader,
)
from tests.support.news import authorization_event, referral_event, team_event
from tests.support.roundtrips import round_trips
from tests.support.sql import sql

OTTAWA = a_reader("coordinator", site="ottawa")
_listens: ContextVar[bool] = ContextVar("listens", default=False)


@pytest.fixture(autouse=True)
def no_poll(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever sleeps over news does so for longer than a test waits."""
    monkeypatch.setattr(feed_stream, "POLL", 10 * WITHIN)


@pytest.fixture(autouse=True)
def no_tail_left() -> Iterator[None]:
    yield
    assert feed_reader._readers == {}


Open = Callable[..., Reading]
Until = Callable[[int], Awaitable[None]]


@pytest_asyncio.fixture
async def open_stream(runtime: Runtime) -> AsyncIterator[Open]:
    """Open streams that are hung up at the end."""
    opened: list[Reading] = []

    def make(reader: Principal, seen: int | None = -1) -> Reading:
        opened.append(Reading(runtime, reader, seen))
        return opened[-1]

    yield make
    for reading in opened:
        await reading.close()


def listening(reading: Awaitable[Any]) -> "asyncio.Task[Any]":
    """Go on reading a stream beside the test, so that its round trips can be told from others."""

    async def read() -> Any:
        _listens.set(True)
        return await reading

    return asyncio.create_task(read())


class Gate:
    """Holds the answer to the first call of a function until it is opened."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, owner: object, name: str) -> None:
        self.calls = 0
        self.reached, self.go_on = asyncio.Event(), asyncio.Event()
        self.failure: Exception | None = None
        self._original = getattr(owner, name)
        monkeypatch.setattr(owner, name, self)

    async def __call__(self, *args: Any, **named: Any) -> Any:
        self.calls += 1
        is_first = self.calls == 1
        answer = await self._original(*args, **named)
        if is_first:
            self.reached.set()
            await self.go_on.wait()
            if self.failure is not None:
                raise self.failure
        return answer


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    """Hold the first page of the log when it has been read."""
    return Gate(monkeypatch, feed_reader.event_log, "read")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Until:
    """Give a way to wait until so many pages were asked for."""
    pages = 0
    page = FeedReader.page

    async def counting(self: FeedReader, position: int) -> FeedPage:
        nonlocal pages
        pages += 1
        return await page(self, position)

    async def until(number: int) -> None:
        await eventually(lambda: pages >= number, within=WITHIN)

    monkeypatch.setattr(FeedReader, "page", counting)
    return until


async def test_an_entry_costs_the_same_round_trips_however_many_listen(
    runtime: Runtime, hear: Hear, open_stream: Open
) -> None:
    found = []
    for listeners in (1, 5):
        readings = [open_stream(COORDINATOR) for _ in range(listeners)]
        await asyncio.gather(*(reading.up_to_now() for reading in readings))
        with round_trips(within=_listens.get) as counted:
            for _ in range(2):
                waiting = [listening(reading.next()) for reading in readings]
                await hear(referral_event())
                await asyncio.gather(*waiting)
        found.append(counted.total() - counted["prepare"])
        for reading in readings:
            await reading.close()
    assert found[0] == found[1] <= 8


async def test_streams_that_read_together_see_each_only_their_own(
    hear: Hear, open_stream: Open, gate: Gate, asked: Until
) -> None:
    await hear(referral_event(), authorization_event(), team_event(members=["physiatrist"]))
    readers = (COORDINATOR, OTTAWA, REFERRER, OTHER_REFERRER, INSURER, PHYSIATRIST)
    waiting = [listening(open_stream(reader).up_to_now()) for reader in readers]
    await asked(len(readers))
    gate.go_on.set()

    assert await asyncio.gather(*waiting) == [
        ["referral.received", "authorization.requested", "careteam.formed"],
        [],
        ["referral.received", "authorization.requested"],
        [],
        ["authorization.requested"],
        ["careteam.formed"],
    ]
    assert gate.calls == 1


async def test_a_frame_is_encoded_once_for_all_who_see_it(runtime: Runtime, hear: Hear) -> None:
    await hear(referral_event())
    page = await FeedReader(runtime.database).page(0)
    [for_coordinator], [for_referrer] = page.frames(COORDINATOR), page.frames(REFERRER)
    assert for_coordinator is for_referrer


async def test_what_is_appended_while_a_read_is_under_way_is_seen_at_once_by_who_comes_then(
    hear: Hear, open_stream: Open, gate: Gate
) -> None:
    early = listening(open_stream(COORDINATOR).next())
    await gate.reached.wait()
    await hear(referral_event())
    assert (await open_stream(COORDINATOR).next())[:2] == (0, "referral.received")
    assert not early.done()

    gate.go_on.set()
    assert (await early)[:2] == (0, "referral.received")


async def test_a_consent_withdrawn_while_a_page_is_read_counts_for_who_comes_then(
    runtime: Runtime, hear: Hear, open_stream: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    await hear(referral_event(), authorization_event())
    gate = Gate(monkeypatch, feed_reader.queries.referrals, "consented")
    early = listening(open_stream(INSURER).next())
    await gate.reached.wait()
    async with runtime.database.transaction() as tx:
        await sql(tx, "UPDATE known_authorization SET consented = false")
    assert await open_stream(INSURER).up_to_now() == []

    gate.go_on.set()
    assert (await early)[1] == "authorization.requested"


async def test_a_stream_that_is_cancelled_harms_none_of_those_it_reads_with(
    hear: Hear, open_stream: Open, gate: Gate, asked: Until
) -> None:
    await hear(referral_event())
    begun, other = (listening(open_stream(COORDINATOR).next()) for _ in range(2))
    await asked(2)
    await hung_up(begun)
    gate.go_on.set()
    assert (await other)[:2] == (0, "referral.received")
    assert gate.calls == 1


async def test_a_read_that_fails_does_so_for_all_and_the_next_one_begins_anew(
    hear: Hear, open_stream: Open, gate: Gate, asked: Until
) -> None:
    await hear(referral_event())
    with nothing_unheard() as unheard:
        gate.failure = ConnectionResetError()
        waiting = [listening(open_stream(COORDINATOR).next()) for _ in range(3)]
        await asked(3)
        gate.go_on.set()
        found = await asyncio.gather(*waiting, return_exceptions=True)
        assert [type(message) for message in found] == [ConnectionResetError] * 3
        assert (await open_stream(COORDINATOR).next())[:2] == (0, "referral.received")
        del waiting, found
    assert unheard == []


async def test_an_error_that_nobody_waits_for_is_nobodys(open_stream: Open, gate: Gate, asked: Until) -> None:
    with nothing_unheard() as unheard:
        gate.failure = ConnectionResetError()
        waiting = listening(open_stream(COORDINATOR).next())
        await asked(1)
        await gate.reached.wait()
        [reading] = next(iter(feed_reader._readers.values()))._under_way
        await hung_up(waiting)
        gate.go_on.set()
        await asyncio.wait([reading])
        del reading, waiting
    assert unheard == []


@pytest.mark.parametrize("entries", [4, 5])
async def test_a_log_of_several_pages_is_read_to_its_end(
    hear: Hear, open_stream: Open, entries: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_reader, "PAGE", 2)
    await hear(*(referral_event() for _ in range(entries)))
    reading = open_stream(COORDINATOR)
    assert [(await reading.next())[0] for _ in range(entries)] == list(range(entries))
    assert await reading.frame() == b": now\n\n"


async def hung_up(waiting: "asyncio.Task[Any]") -> None:
    """Cancel a stream as the server does when its reader hangs up."""
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)


@contextmanager
def nothing_unheard() -> Iterator[list[dict[str, Any]]]:
    """Note what the event loop complains of."""
    complaints: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: complaints.append(context))
    try:
        yield complaints
        gc.collect()
    finally:
        loop.set_exception_handler(None)
