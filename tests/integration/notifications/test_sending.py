"""From a message to an e-mail: real SMTP, real database, simulated care time."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from services.notifications import handlers, queries, texts, use_cases
from services.notifications.models.rows import Attempt, Notification
from services.notifications.rules.delivery import GAVE_UP, LEFT_TEAM, NO_CONSENT, NO_SERVER, REFUSED
from services.notifications.states import Channel, Outcome, Status
from services.notifications.worker.letters import email_sender
from services.notifications.worker.sender import MessageSender
from services.notifications.worker.smtp import Smtp
from shared.clock import SimulatedClock
from shared.events.catalog.types import typed
from shared.events.envelope import Event
from shared.events.inbox.handling import EventBatch, EventContext
from shared.fhir.reasons import concept
from shared.runtime import Runtime
from tests.support.mailbox import Mailbox, open_mailbox
from tests.support.news import NOON, authorization_event, referral_event, team_event
from tests.support.roundtrips import round_trips
from tests.support.sql import sql

Hear = Callable[..., Awaitable[None]]
NOWHERE = "smtp://127.0.0.1:9"


class Crash(Exception):
    """The process ends here."""


@pytest.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    async with open_mailbox() as box:
        yield box


@pytest.fixture
def hear(runtime: Runtime) -> Hear:
    async def handle(*events: Event, without: Collection[Channel] = ()) -> None:
        for event in events:
            ctx = runtime.context(cause=event.id)
            async with runtime.database.transaction() as tx:
                run = EventBatch([EventContext(typed(event), ctx)])
                await handlers.on_events(ctx, tx, run, without=without)

    return handle


async def drain(sending: MessageSender) -> None:
    while await sending.run_once():
        pass


async def messages(runtime: Runtime) -> list[Notification]:
    async with runtime.database.transaction() as tx:
        return await tx.rows(Notification, "SELECT * FROM notification ORDER BY id")


async def attempts(runtime: Runtime) -> list[tuple[int, str, str]]:
    async with runtime.database.transaction() as tx:
        rows = await tx.rows(Attempt, "SELECT * FROM notification_attempt ORDER BY number")
    return [(row.number, row.outcome, row.detail) for row in rows]


async def published(runtime: Runtime) -> list[str]:
    async with runtime.database.transaction() as tx:
        rows = await sql(
            tx,
            "SELECT headers ->> 'ce_type' AS type FROM outbox"
            " WHERE topic = 'lumbar.notifications' ORDER BY id",
        )
        return [row.type for row in rows]


async def alerts(runtime: Runtime) -> list[dict[str, Any]]:
    async with runtime.database.transaction() as tx:
        rows = (await sql(tx, "SELECT value FROM outbox WHERE topic = 'feed' ORDER BY id")).all()
    found = [msgspec.json.decode(row.value) for row in rows]
    return [entry for entry in found if entry["type"] == "notification.undeliverable"]


def told(row: Notification) -> dict[str, Any]:
    """Give everything of a message but what tells it from another one."""
    own = {"id", "event_id", "version", "body"}
    body = msgspec.json.decode(row.body)
    return {
        **row.model_dump(exclude=own),
        "body": {name: body[name] for name in body.keys() - {"id", "identifier", "meta"}},
    }


def move(runtime: Runtime, by: timedelta) -> None:
    clock = runtime.clock
    assert isinstance(clock, SimulatedClock)
    clock.set(clock.now() + by)


class TestSending:
    async def test_hands_over_one_email_and_records_it(
        self, runtime: Runtime, hear: Hear, mailbox: Mailbox
    ) -> None:
        await hear(referral_event("received"), referral_event("accepted"))
        await drain(email_sender(runtime, mail=Smtp(mailbox.url)))
        [row] = await messages(runtime)
        assert mailbox.recipients == ["referrals@family-practice.example"]
        assert mailbox.letters[0]["Message-ID"] == f"<{row.id}@harbour-spine.example>"
        assert row.status == Status.COMPLETED
        assert await attempts(runtime) == [(1, Outcome.TAKEN, "")]
        assert await published(runtime) == ["notification.delivered"]
        body = msgspec.json.decode(row.body)
        assert body["status"] == "completed"
        assert body["sent"] == NOON.isoformat()
        assert [note["text"] for note in body["note"]] == ["attempt 1 taken"]

    async def test_by_two_workers_at_once_sends_once(
        self, runtime: Runtime, hear: Hear, mailbox: Mailbox
    ) -> None:
        await hear(referral_event("received"), *(referral_event("accepted") for _ in range(30)))
        workers = [email_sender(runtime, mail=Smtp(mailbox.url)) for _ in range(2)]
        await asyncio.gather(*(drain(worker) for worker in workers))
        names = [letter["Message-ID"] for letter in mailbox.letters]
        assert len(names) == len(set(names)) == 30
        assert {row.status for row in await messages(runtime)} == {Status.COMPLETED}

    async def test_tries_again_in_care_time_until_the_server_takes_it(
        self, runtime: Runtime, hear: Hear, mailbox: Mailbox
    ) -> None:
        await hear(referral_event("received"), referral_event("accepted"))
        mailbox.answers = ["451 later", "451 later"]
        sending = email_sender(runtime, mail=Smtp(mailbox.url))
        await drain(sending)
        assert await sending.pending(runtime.clock.now()) == 0
        assert await sending.next_due() == NOON + timedelta(minutes=1)
        move(runtime, timedelta(minutes=1))
        assert await sending.pending(runtime.clock.now()) == 1
        await drain(sending)
        move(runtime, timedelta(minutes=2))
        await drain(sending)
        assert await attempts(runtime) == [
            (1, Outcome.FAILED, "reply 451"),
            (2, Outcome.FAILED, "reply 451"),
            (3, Outcome.TAKEN, ""),
        ]
        assert len(mailbox.letters) == 1
        assert await sending.next_due() is None

    async def test_gives_up_after_a_day_and_alerts_one_owner(self, runtime: Runtime, hear: Hear) -> None:
        await hear(referral_event("received"), referral_event("accepted"))
        sending = email_sender(runtime, mail=Smtp(NOWHERE))
        for _ in range(40):
            await drain(sending)
            due = await sending.next_due()
            if due is None:
                break
            move(runtime, due - runtime.clock.now())
        [row] = await messages(runtime)
        assert (row.status, row.reason) == (Status.STOPPED, GAVE_UP)
        assert runtime.clock.now() - NOON <= timedelta(hours=24)
        assert await published(runtime) == ["notification.undeliverable"]
        [alert] = await alerts(runtime)
        assert alert["only"] == "coordinator"
        assert (alert["patient"], alert["referral"]) == (None, None)

    async def test_stops_at_once_when_the_server_refuses_for_good(
        self, runtime: Runtime, hear: Hear, mailbox: Mailbox
    ) -> None:
        await hear(referral_event("received"), referral_event("accepted"))
        mailbox.answers = ["550 no such address"]
        await drain(email_sender(runtime, mail=Smtp(mailbox.url)))
        [row] = await messages(runtime)
        assert (row.status, row.reason) == (Status.STOPPED, REFUSED)
        assert await attempts(runtime) == [(1, Outcome.REFUSED, "reply 550")]

    async def test_without_a_server_is_undeliverable_at_once_without_an_alert(
        self, runtime: Runtime, hear: Hear
    ) -> None:
        await hear(referral_event("received"), referral_event("accepted"))
        await drain(email_sender(runtime, mail=None))
        [row] = await messages(runtime)
        assert (row.status, row.reason) == (Status.NOT_DONE, NO_SERVER)
        assert await attempts(runtime) == []
        assert await published(runtime) == ["notification.undeliverable"]
        assert await alerts(runtime) == []
        assert msgspec.json.decode(row.body)["statusReason"] == concept([NO_SERVER], texts.REASONS)

    async def test_without_a_server_ends_as_it_is_written_and_as_the_loop_would_end_it(
        self, runtime: Runtime, hear: Hear
    ) -> None:
        await hear(referral_event("received"), referral_event("accepted"))
        await drain(email_sender(runtime, mail=None))
        await hear(referral_event("received"), referral_event("accepted"), without={Channel.EMAIL})
        loops, ours = await messages(runtime)
        assert (loops.version, ours.version) == (2, 1)
        assert ours.event_version == loops.event_version == 1
        assert told(ours) == told(loops)
        assert await published(runtime) == ["notification.undeliverable"] * 2
        assert await alerts(runtime) == []
        assert not await email_sender(runtime, mail=None).run_once()

    async def test_without_a_server_looks_seldom_for_what_was_left_open(
        self, runtime: Runtime, hear: Hear, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sending = email_sender(runtime, mail=None)
        assert not await sending.run_once()
        await hear(referral_event("received"), referral_event("accepted"))
        with round_trips() as counted:
            assert not await sending.run_once()
        assert counted.total() == 0
        monkeypatch.setattr("services.notifications.worker.sender.LOOKS_AGAIN_AFTER", 0.0)
        assert await sending.run_once()
        assert [row.reason for row in await messages(runtime)] == [NO_SERVER]

    async def test_spares_whoever_left_the_team_meanwhile(
        self, runtime: Runtime, hear: Hear, mailbox: Mailbox
    ) -> None:
        await hear(
            referral_event(),
            team_event(members=["physiatrist", "psychologist"]),
            team_event("changed", members=["physiatrist"]),
        )
        await drain(email_sender(runtime, mail=Smtp(mailbox.url)))
        assert set(mailbox.recipients) == {"physiatrist@harbour-spine.example"}
        spared = [row for row in await messages(runtime) if row.recipient == "Practitioner/psychologist"]
        assert [(row.status, row.reason) for row in spared] == [(Status.NOT_DONE, LEFT_TEAM)]

    async def test_spares_an_insurer_whose_consent_was_withdrawn_meanwhile(
        self, runtime: Runtime, hear: Hear, mailbox: Mailbox
    ) -> None:
        await hear(referral_event(), authorization_event())
        async with runtime.database.transaction() as tx:
            await tx.run("UPDATE known_authorization SET consented = false")
        await drain(email_sender(runtime, mail=Smtp(mailbox.url)))
        assert mailbox.recipients == []
        [row] = await messages(runtime)
        assert (row.status, row.reason) == (Status.NOT_DONE, NO_CONSENT)


class TestAfterACrash:
    async def test_between_sending_and_recording_the_same_message_id_goes_again(
        self, runtime: Runtime, hear: Hear, mailbox: Mailbox
    ) -> None:
        await hear(referral_event("received"), referral_event("accepted"))
        crashed = email_sender(runtime, mail=Smtp(mailbox.url), lease=timedelta(0))
        _, outgoing = await crashed._take()
        assert crashed._way is not None
        assert [told async for told in crashed._way.send(outgoing, at=NOON)]
        await drain(email_sender(runtime, mail=Smtp(mailbox.url)))
        assert len({letter["Message-ID"] for letter in mailbox.letters}) == 1
        assert len(mailbox.letters) == 2
        assert [row.status for row in await messages(runtime)] == [Status.COMPLETED]
        assert await attempts(runtime) == [(1, Outcome.STARTED, ""), (2, Outcome.TAKEN, "")]

    async def test_amid_a_handful_only_the_letter_in_flight_goes_again(
        self, runtime: Runtime, hear: Hear, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await hear(referral_event("received"), *(referral_event("accepted") for _ in range(12)))
        record, recorded = use_cases.record.run, itertools.count(1)

        async def record_three_and_crash(*arguments: Any, **options: Any) -> bool:
            if next(recorded) == 4:
                raise Crash
            return await record(*arguments, **options)

        monkeypatch.setattr(use_cases.record, "run", record_three_and_crash)
        with pytest.raises(Crash):
            await email_sender(runtime, mail=Smtp(mailbox.url), lease=timedelta(0)).run_once()
        await drain(email_sender(runtime, mail=Smtp(mailbox.url)))
        names = [letter["Message-ID"] for letter in mailbox.letters]
        assert (len(set(names)), len(names)) == (12, 13)
        assert {row.status for row in await messages(runtime)} == {Status.COMPLETED}

    async def test_a_worker_that_was_overtaken_records_nothing(
        self, runtime: Runtime, hear: Hear, mailbox: Mailbox
    ) -> None:
        await hear(referral_event("received"), referral_event("accepted"))
        slow = email_sender(runtime, mail=Smtp(mailbox.url), lease=timedelta(0))
        _, [outgoing] = await slow._take()
        await drain(email_sender(runtime, mail=Smtp(mailbox.url)))
        async with runtime.database.transaction() as tx:
            recorded = await use_cases.record.run(
                runtime.context(cause=None), tx, outgoing, use_cases.record.Result(outcome=Outcome.FAILED)
            )
        assert not recorded
        assert [row.status for row in await messages(runtime)] == [Status.COMPLETED]

    async def test_nobody_else_takes_what_is_leased(
        self, runtime: Runtime, hear: Hear, mailbox: Mailbox
    ) -> None:
        await hear(referral_event("received"), referral_event("accepted"))
        await email_sender(runtime, mail=Smtp(mailbox.url))._take()
        await drain(email_sender(runtime, mail=Smtp(mailbox.url)))
        assert mailbox.letters == []
        assert await queries.messages.due(runtime.database, channel=Channel.EMAIL, now=NOON) == 1
