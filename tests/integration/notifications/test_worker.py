"""The whole worker over the embedded log: every event's people are told once, whatever comes twice."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import pytest

from services.notifications.worker import create_worker
from shared.db import Database
from shared.events.envelope import Event
from shared.events.settle import settle
from shared.events.topics import CARETEAM, FEED, REFERRAL, SCHEDULING
from shared.events.transport import event_log
from shared.events.transport.base import OutboxRow
from shared.events.transport.postgres_log import PostgresTransport
from shared.runtime import Runtime
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
        OutboxRow(id=0, event_id=one.id, topic=topic, key=one.key, headers=one.headers(), value=one.value)
        for one in events
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
