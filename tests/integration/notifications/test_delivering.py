"""From a message to a party's own system: real HTTPS, real database, simulated care time."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from services.notifications import handlers, queries, use_cases
from services.notifications.models.rows import Attempt, Notification
from services.notifications.rules.delivery import ENDED, GONE, NO_CONSENT, NO_RECEIVER, NOT_TAKEN
from services.notifications.states import Outcome, Status
from services.notifications.worker.letters import email_sender
from services.notifications.worker.webhook_sender import WebhookSender
from shared import failpoints
from shared.clinic import Clinic, Webhook, load_clinic
from shared.clinic.current import CurrentClinic
from shared.clock import SimulatedClock
from shared.events.catalog.types import typed
from shared.events.envelope import Event
from shared.events.inbox.handling import EventBatch, EventContext
from shared.fhir import check
from shared.outbound import FORBIDDEN, make_missing_secrets
from shared.runtime import Runtime
from tests.support.news import CLAIM, NOON, authorization_event, referral_event
from tests.support.receiver import Receiver, open_receiver, outbound_to_loopback, verified
from tests.support.sql import sql

Hear = Callable[..., Awaitable[None]]
INSURER = "Organization/workplace-insurer"
PRACTICE = "Organization/family-practice"


@pytest.fixture
async def insurer() -> AsyncIterator[Receiver]:
    async with open_receiver() as opened:
        yield opened


@pytest.fixture
async def practice() -> AsyncIterator[Receiver]:
    async with open_receiver() as opened:
        yield opened


@pytest.fixture
def clinic(insurer: Receiver, practice: Receiver) -> Clinic:
    example = load_clinic(Path(__file__).parents[3] / "examples" / "clinic.yaml")
    receivers = (
        Webhook(id="insurer", url=insurer.url, payer="workplace-insurer"),
        Webhook(id="practice", url=practice.url, organization="family-practice"),
    )
    hosts = (insurer.netloc, practice.netloc)
    return example.model_copy(update={"webhooks": receivers, "webhook_hosts": hosts})


@pytest.fixture
def runtime(runtime: Runtime, tmp_path: Path) -> Runtime:
    make_missing_secrets(tmp_path, names=["insurer", "practice"])
    return replace(runtime, outbound=outbound_to_loopback(tmp_path))


@pytest.fixture
def hear(runtime: Runtime) -> Hear:
    async def handle(*events: Event) -> None:
        for event in events:
            ctx = runtime.context(cause=event.id)
            async with runtime.database.transaction() as tx:
                await handlers.on_events(ctx, tx, EventBatch([EventContext(typed(event), ctx)]))

    return handle


def delivering(runtime: Runtime, name: str = "insurer", *, lease: timedelta | None = None) -> WebhookSender:
    """Make the loop of a receiver."""
    receiver = next(hook for hook in runtime.clinic.webhooks if hook.id == name)
    assert runtime.outbound is not None
    options = {} if lease is None else {"lease": lease}
    return WebhookSender(runtime, receiver, outbound=runtime.outbound, **options)


async def drain(loop: WebhookSender) -> None:
    while await loop.run_once():
        pass


async def messages(runtime: Runtime, recipient: str = INSURER) -> list[Notification]:
    sql = "SELECT * FROM notification WHERE channel = 'webhook' AND recipient = $1 ORDER BY id"
    async with runtime.database.transaction() as tx:
        return await tx.rows(Notification, sql, recipient)


async def attempts(runtime: Runtime, message: Notification) -> list[tuple[str, str]]:
    async with runtime.database.transaction() as tx:
        rows = await tx.rows(Attempt, "SELECT * FROM notification_attempt ORDER BY number")
    return [(row.outcome, row.detail) for row in rows if row.notification_id == message.id]


async def alerts(runtime: Runtime) -> list[dict[str, Any]]:
    async with runtime.database.transaction() as tx:
        rows = (await sql(tx, "SELECT value FROM outbox WHERE topic = 'feed' ORDER BY id")).all()
    found = [msgspec.json.decode(row.value) for row in rows]
    return [entry for entry in found if entry["type"] == "notification.undeliverable"]


async def published(runtime: Runtime) -> list[str]:
    async with runtime.database.transaction() as tx:
        rows = await sql(
            tx,
            "SELECT headers ->> 'ce_type' AS type FROM outbox"
            " WHERE topic = 'lumbar.notifications' ORDER BY id",
        )
        return [row.type for row in rows]


def move(runtime: Runtime, by: timedelta) -> None:
    clock = runtime.clock
    assert isinstance(clock, SimulatedClock)
    clock.set(clock.now() + by)


async def live_on(runtime: Runtime, loop: WebhookSender) -> None:
    """Let care time pass through every attempt that is due."""
    for _ in range(60):
        await drain(loop)
        due = await loop.next_due()
        if due is None:
            return
        move(runtime, max(due - runtime.clock.now(), timedelta(0)))
    raise AssertionError("messages are still open")


def events_of(receiver: Receiver) -> list[str]:
    """Name the events that arrived, in order."""
    bodies = [msgspec.json.decode(request.body) for request in receiver.got]
    return [body["entry"][0]["resource"]["eventCoding"]["code"] for body in bodies]


class TestDelivering:
    async def test_posts_what_happened_and_where_it_stands_signed(
        self, runtime: Runtime, hear: Hear, insurer: Receiver, tmp_path: Path
    ) -> None:
        await hear(referral_event(), authorization_event())
        await drain(delivering(runtime))
        [row] = await messages(runtime)
        [got] = insurer.got
        assert got.headers["webhook-id"] == str(row.id)
        assert got.headers["content-type"] == "application/fhir+json"
        assert verified((tmp_path / "insurer.secret").read_text().strip(), got)
        body = msgspec.json.decode(got.body)
        [entry] = body["entry"]
        assert entry["resource"]["focus"] == [
            {"reference": f"http://clinic.example/referral/fhir/Claim/{CLAIM}"}
        ]
        assert entry["resource"]["eventCoding"]["code"] == "authorization.requested"
        assert (row.status, await attempts(runtime, row)) == (Status.COMPLETED, [(Outcome.TAKEN, "")])
        assert await published(runtime) == ["notification.delivered"]

    async def test_posts_a_message_that_a_fhir_server_takes_and_that_names_no_patient(
        self, runtime: Runtime, hear: Hear, insurer: Receiver
    ) -> None:
        await hear(referral_event(), authorization_event())
        await drain(delivering(runtime))
        body = insurer.got[0].body
        assert (await check.receive(body)).resource_type == "Bundle"
        [row] = await messages(runtime)
        assert row.patient_id is not None
        assert row.patient_id.encode() not in body

    async def test_is_not_proved_by_another_body_time_or_secret(
        self, runtime: Runtime, hear: Hear, insurer: Receiver, tmp_path: Path
    ) -> None:
        await hear(referral_event(), authorization_event())
        await drain(delivering(runtime))
        [got] = insurer.got
        secret = (tmp_path / "insurer.secret").read_text().strip()
        assert not verified((tmp_path / "practice.secret").read_text().strip(), got)
        assert not verified(secret, replace(got, body=got.body + b" "))
        assert not verified(secret, replace(got, headers={**got.headers, "webhook-id": "another"}))
        stale = str(int(got.headers["webhook-timestamp"]) - 3600)
        assert not verified(secret, replace(got, headers={**got.headers, "webhook-timestamp": stale}))

    async def test_signs_with_both_secrets_while_they_change(
        self, runtime: Runtime, hear: Hear, insurer: Receiver, tmp_path: Path
    ) -> None:
        old, new = ((tmp_path / f"{name}.secret").read_text().strip() for name in ("insurer", "practice"))
        (tmp_path / "insurer.secret").write_text(f"{new}\n{old}\n")
        await hear(referral_event(), authorization_event())
        await drain(delivering(runtime))
        assert [verified(secret, insurer.got[0]) for secret in (old, new)] == [True, True]

    async def test_by_two_workers_at_once_posts_once(
        self, runtime: Runtime, hear: Hear, insurer: Receiver
    ) -> None:
        await hear(referral_event(), authorization_event())
        loops = [delivering(runtime) for _ in range(2)]
        await asyncio.gather(*(drain(loop) for loop in loops))
        assert len(insurer.got) == len(await messages(runtime)) == 1

    async def test_leaves_e_mails_to_their_own_loop(self, runtime: Runtime, hear: Hear) -> None:
        await hear(referral_event(), authorization_event())
        while await email_sender(runtime, mail=None).run_once():
            pass
        assert [row.status for row in await messages(runtime)] == [Status.PREPARATION]
        assert await delivering(runtime).pending(NOON) == 1
        assert await email_sender(runtime, mail=None).next_due() is None


class TestOrder:
    async def test_later_messages_wait_behind_one_that_fails_and_other_receivers_go_on(
        self, runtime: Runtime, hear: Hear, insurer: Receiver, practice: Receiver
    ) -> None:
        await hear(referral_event(), authorization_event(), authorization_event("pended"))
        await hear(authorization_event("decided"))
        insurer.answers = ["503 later", "500 later"]
        await asyncio.gather(drain(delivering(runtime)), drain(delivering(runtime, "practice")))
        assert events_of(insurer) == ["authorization.requested"]
        assert len(events_of(practice)) == 4
        assert [row.attempts for row in await messages(runtime)] == [1, 0, 0]
        move(runtime, timedelta(seconds=59))
        await drain(delivering(runtime))
        assert len(insurer.got) == 1
        await live_on(runtime, delivering(runtime))
        assert events_of(insurer) == [
            *["authorization.requested"] * 3,
            "authorization.pended",
            "authorization.decided",
        ]
        assert len({got.headers["webhook-id"] for got in insurer.got[:3]}) == 1
        assert len({got.body for got in insurer.got[:3]}) == 1

    async def test_workers_at_once_keep_it_amid_failures(
        self, runtime: Runtime, hear: Hear, insurer: Receiver
    ) -> None:
        names = ["requested", *["pended", "decided"] * 3]
        await hear(referral_event(), *(authorization_event(name) for name in names))
        insurer.answers = ["503 later", "200 OK"] * len(names)
        loops = [delivering(runtime) for _ in range(3)]
        while (due := await delivering(runtime).next_due()) is not None:
            move(runtime, max(due - runtime.clock.now(), timedelta(0)))
            await asyncio.gather(*(drain(loop) for loop in loops))
        assert events_of(insurer) == [f"authorization.{name}" for name in names for _ in range(2)]


class TestFailing:
    async def test_for_a_day_gives_up_and_alerts_one_owner_then_the_next_is_tried(
        self, runtime: Runtime, hear: Hear, insurer: Receiver
    ) -> None:
        await hear(referral_event(), authorization_event())
        insurer.answers = ["503 later"] * 100
        loop = delivering(runtime)
        await drain(loop)
        move(runtime, timedelta(hours=1))
        await hear(authorization_event("decided"))
        await live_on(runtime, loop)
        first, second = await messages(runtime)
        assert (first.status, first.reason) == (Status.STOPPED, NOT_TAKEN)
        assert first.last_updated is not None
        assert timedelta(hours=18) < first.last_updated - NOON <= timedelta(hours=24)
        assert second.attempts >= 1
        assert (second.status, second.reason) == (Status.STOPPED, NOT_TAKEN)
        assert await published(runtime) == ["notification.undeliverable"] * 2
        told = await alerts(runtime)
        assert [alert["only"] for alert in told] == ["coordinator"] * 2
        assert {(alert["patient"], alert["referral"]) for alert in told} == {(None, None)}

    async def test_by_410_ends_the_receiver(self, runtime: Runtime, hear: Hear, insurer: Receiver) -> None:
        await hear(referral_event(), authorization_event(), authorization_event("pended"))
        insurer.answers = ["410 Gone"]
        await drain(delivering(runtime))
        await hear(authorization_event("decided"))
        await drain(delivering(runtime))
        assert len(insurer.got) == 1
        found = [(row.status, row.reason) for row in await messages(runtime)]
        ended = (Status.NOT_DONE, ENDED)
        assert found == [(Status.STOPPED, GONE), ended, ended]
        assert len(await alerts(runtime)) == 1

    async def test_by_a_redirect_is_a_failure_like_any_other(
        self, runtime: Runtime, hear: Hear, insurer: Receiver, practice: Receiver
    ) -> None:
        await hear(referral_event(), authorization_event())
        insurer.answers = [f"307 There\r\nLocation: {practice.url}"]
        await drain(delivering(runtime))
        [row] = await messages(runtime)
        assert await attempts(runtime, row) == [(Outcome.FAILED, "status 307")]
        assert practice.got == []

    async def test_of_the_secret_or_the_guard_is_told_without_naming_anything(
        self, runtime: Runtime, hear: Hear, tmp_path: Path
    ) -> None:
        await hear(referral_event(), authorization_event())
        (tmp_path / "insurer.secret").unlink()
        await drain(delivering(runtime))
        move(runtime, timedelta(minutes=1))
        make_missing_secrets(tmp_path, names=["insurer"])
        closed = replace(outbound_to_loopback(tmp_path), forbidden=FORBIDDEN)
        await drain(delivering(replace(runtime, outbound=closed)))
        [row] = await messages(runtime)
        assert await attempts(runtime, row) == [
            (Outcome.FAILED, "no usable secret"),
            (Outcome.FAILED, "an address in a forbidden network"),
        ]


class TestConsent:
    async def test_withdrawn_before_a_retry_ends_the_message(
        self, runtime: Runtime, hear: Hear, insurer: Receiver
    ) -> None:
        await hear(referral_event(), authorization_event())
        insurer.answers = ["503 later"]
        await drain(delivering(runtime))
        async with runtime.database.transaction() as tx:
            await tx.run("UPDATE known_authorization SET consented = false")
        await live_on(runtime, delivering(runtime))
        [row] = await messages(runtime)
        assert (row.status, row.reason) == (Status.STOPPED, NO_CONSENT)
        assert len(insurer.got) == 1
        await hear(authorization_event("decided"))
        assert len(await messages(runtime)) == 1


class TestAfterACrash:
    async def test_between_sending_and_recording_the_same_message_goes_again(
        self, runtime: Runtime, hear: Hear, insurer: Receiver
    ) -> None:
        await hear(referral_event(), authorization_event(), authorization_event("decided"))
        crashed = delivering(runtime, lease=timedelta(0))
        _, sent = await crashed._take()
        assert sent is not None
        await crashed._deliver(sent)
        await drain(delivering(runtime))
        first, again, last = insurer.got
        assert first.headers["webhook-id"] == again.headers["webhook-id"] != last.headers["webhook-id"]
        assert first.body == again.body
        rows = await messages(runtime)
        assert [row.status for row in rows] == [Status.COMPLETED] * 2
        assert await attempts(runtime, rows[0]) == [(Outcome.STARTED, ""), (Outcome.TAKEN, "")]

    @pytest.mark.parametrize(
        ("point", "sent"), [("leased_not_sent", 1), ("sent_not_recorded", 2), ("recorded", 1)]
    )
    async def test_at_any_point_the_message_arrives_and_is_recorded_once(
        self, runtime: Runtime, hear: Hear, insurer: Receiver, point: str, sent: int
    ) -> None:
        await hear(referral_event(), authorization_event())
        failpoints.arm({failpoints.VARIABLE: f"{point}:raise"})
        try:
            with pytest.raises(failpoints.PointReached):
                await delivering(runtime, lease=timedelta(0)).run_once()
        finally:
            failpoints.arm({})
        await drain(delivering(runtime))
        assert len(insurer.got) == sent
        assert len({(got.headers["webhook-id"], got.body) for got in insurer.got}) == 1
        assert [row.status for row in await messages(runtime)] == [Status.COMPLETED]
        assert await published(runtime) == ["notification.delivered"]

    async def test_nobody_takes_what_is_leased_nor_what_waits_behind_it(
        self, runtime: Runtime, hear: Hear, insurer: Receiver
    ) -> None:
        await hear(referral_event(), authorization_event(), authorization_event("decided"))
        await delivering(runtime)._take()
        await drain(delivering(runtime))
        assert insurer.got == []
        assert await delivering(runtime).pending(NOON) == 1


class TestLeftOver:
    async def test_messages_of_a_receiver_that_is_no_longer_registered_end_at_the_start(
        self, runtime: Runtime, hear: Hear, practice: Receiver
    ) -> None:
        await hear(referral_event(), authorization_event())
        remaining = runtime.clinic.model_copy(update={"webhooks": runtime.clinic.webhooks[1:]})
        ctx = replace(runtime, current=CurrentClinic(remaining)).context(cause="start")
        async with runtime.database.transaction() as tx:
            await use_cases.deliver.end_left_over(ctx, tx)
        [row] = await messages(runtime)
        assert (row.status, row.reason) == (Status.NOT_DONE, NO_RECEIVER)
        await drain(delivering(runtime, "practice"))
        assert {row.status for row in await messages(runtime, PRACTICE)} == {Status.COMPLETED}
        assert await queries.receivers.delivery_due(runtime.database, recipient=INSURER) is None
