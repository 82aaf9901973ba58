"""The whole worker over the embedded log: every event's people are told once, whatever comes twice."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from services.notifications.worker import create_worker
from shared.db import Database
from shared.events.envelope import Event
from shared.events.inbox import held_retry
from shared.events.settle import settle
from shared.events.topics import CARETEAM, FEED, REFERRAL, SCHEDULING
from shared.events.transport import event_log
from shared.events.transport.base import OutboxRow
from shared.events.transport.postgres_log import PostgresTransport
from shared.events.worker import Worker
from shared.runtime import Runtime
from tests.support.eventually import eventually
from tests.support.mailbox import Mailbox, open_mailbox
from tests.support.news import appointment_event, referral_event, team_event

SERVICES = ("referral", "scheduling", "careteam", "notifications")


@pytest.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    async with open_mailbox() as box:
        yield box


@pytest.fixture
def runtime(runtime: Runtime, mailbox: Mailbox) -> Runtime:
    transport = PostgresTransport(dict.fromkeys(SERVICES, runtime.database))
    return replace(runtime, transport=transport, smtp_url=mailbox.url)


async def append(database: Database, topic: str, events: Sequence[Event]) -> None:
    rows = [
        OutboxRow(
            id=0, event_id=event.id, topic=topic, key=event.key, headers=event.headers(), value=event.value
        )
        for event in events
    ]
    async with database.transaction() as tx:
        await event_log.append(tx, topic, rows)


async def feed(database: Database) -> list[str]:
    return [
        record.headers["ce_type"] for record in await event_log.read(database, FEED, offset=0, limit=1000)
    ]


class TestTheWorker:
    async def test_tells_once_when_events_come_twice_and_two_workers_hear_them(
        self, runtime: Runtime, mailbox: Mailbox
    ) -> None:
        received, accepted = referral_event("received"), referral_event("accepted")
        await append(runtime.database, REFERRAL, [received, accepted, accepted, received])
        workers = [create_worker(runtime), create_worker(runtime)]
        for worker in workers:
            await worker.start()
        try:
            await append(runtime.database, REFERRAL, [accepted, referral_event("completed")])
            await settle(workers)
        finally:
            for worker in workers:
                await worker.stop()
        assert mailbox.recipients == ["referrals@family-practice.example"] * 2
        assert sorted(await feed(runtime.database)) == [
            "referral.accepted",
            "referral.completed",
            "referral.received",
        ]

    async def test_holds_what_came_before_its_referral_and_tells_it_after(
        self, runtime: Runtime, mailbox: Mailbox
    ) -> None:
        await append(runtime.database, SCHEDULING, [appointment_event("booked")])
        await append(runtime.database, CARETEAM, [team_event(members=["physiatrist"])])
        worker = create_worker(runtime)
        await worker.start()
        try:
            await append(runtime.database, REFERRAL, [referral_event("received")])
            await settle([worker])
        finally:
            await worker.stop()
        assert sorted(mailbox.recipients) == [
            "physiatrist@harbour-spine.example",
            "referrals@family-practice.example",
        ]
        assert sorted(await feed(runtime.database)) == [
            "appointment.booked",
            "careteam.formed",
            "referral.received",
        ]


class TestTheLiveFeed:
    async def test_shows_no_entry_before_the_one_that_caused_it(self, runtime: Runtime) -> None:
        booked, formed = appointment_event("booked"), team_event(members=["physiatrist"])
        async with running(runtime) as worker:
            await append(runtime.database, REFERRAL, [referral_event("received")])
            await append(runtime.database, CARETEAM, [caused_by(booked, formed)])
            await eventually(lambda: is_held(worker))
            await append(runtime.database, SCHEDULING, [booked])
            await settle([worker])
        assert await feed(runtime.database) == ["referral.received", "appointment.booked", "careteam.formed"]

    async def test_shows_a_chain_in_its_order_within_one_topic_too(self, runtime: Runtime) -> None:
        booked, formed = appointment_event("booked"), team_event(members=["physiatrist"])
        changed = team_event("changed", members=["physiatrist"])
        async with running(runtime) as worker:
            await append(runtime.database, REFERRAL, [referral_event("received")])
            await append(runtime.database, CARETEAM, [caused_by(booked, formed), caused_by(formed, changed)])
            await eventually(lambda: is_held(worker))
            await append(runtime.database, SCHEDULING, [booked])
            await settle([worker])
        assert (await feed(runtime.database))[1:] == [
            "appointment.booked",
            "careteam.formed",
            "careteam.changed",
        ]

    async def test_waits_no_longer_than_a_minute_for_a_cause_that_does_not_come(
        self, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(held_retry, "_CAUSE_WITHIN", timedelta(seconds=0.2))
        formed = caused_by(appointment_event("booked"), team_event(members=["physiatrist"]))
        async with running(runtime) as worker:
            await append(runtime.database, REFERRAL, [referral_event("received")])
            await append(runtime.database, CARETEAM, [formed])
            await settle([worker])
        assert await feed(runtime.database) == ["referral.received", "careteam.formed"]


def caused_by(cause: Event, event: Event) -> Event:
    """Give an event as if another event had caused it."""
    return replace(event, causation=cause.id, caused_by_event=True)


@asynccontextmanager
async def running(runtime: Runtime) -> AsyncIterator[Worker]:
    """Run the worker for the duration of the block."""
    worker = create_worker(runtime)
    await worker.start()
    try:
        yield worker
    finally:
        await worker.stop()


async def is_held(worker: Worker) -> bool:
    return (await worker.read_status()).held_retrying > 0
