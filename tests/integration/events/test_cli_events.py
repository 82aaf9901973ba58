"""`lumbar events` and `lumbar dead-letters` over two databases of no service."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from typer.testing import CliRunner

from deploy import cli_events, event_logs
from shared.db import Database
from shared.events.inbox import held_events
from shared.events.inbox.incoming import IncomingRecord
from shared.events.inbox.retry_policy import RetryPolicy
from shared.events.outbox.relay import Relay
from shared.events.topics import REFERRAL
from shared.events.transport.postgres_log import PostgresTransport
from tests.support.events import CONSUMER_METADATA, METADATA, claim, new_toy
from tests.support.postgres import toy_database

URLS: dict[str, str] = {}


@asynccontextmanager
async def two_services() -> AsyncIterator[dict[str, Database]]:
    databases = {name: Database.connect(url, name=name) for name, url in URLS.items()}
    yield databases
    for database in databases.values():
        await database.close()


@pytest.fixture
def lumbar(monkeypatch: pytest.MonkeyPatch) -> Iterator[CliRunner]:
    """A runner of commands over a clinic with one event, which scheduling holds as dead."""
    asyncio.run(one_held_event())
    monkeypatch.setattr(cli_events, "attached", two_services)
    monkeypatch.setattr(event_logs, "attached", two_services)
    yield CliRunner()
    URLS.clear()


async def one_held_event() -> None:
    referral = await toy_database(METADATA, name="referral")
    scheduling = await toy_database(CONSUMER_METADATA, name="scheduling")
    for database in (referral, scheduling):
        URLS[database.name] = database.url
    toy = await new_toy(referral)
    async with referral.transaction() as tx:
        await claim(tx, toy, key="p1")
    transport = PostgresTransport({"referral": referral})
    relay = Relay(referral, transport)
    await relay.step()
    await relay.stop()
    await hold_first(scheduling, transport)
    await referral.close()
    await scheduling.close()


async def hold_first(scheduling: Database, transport: PostgresTransport) -> None:
    subscription = transport.subscribe(scheduling, group="scheduling", topics=(REFERRAL,))
    batch = await subscription.next_batch(limit=9)
    assert batch is not None
    async with scheduling.transaction() as tx:
        await held_events.hold(
            tx,
            [(IncomingRecord(batch.records[0]), ValueError("a name that must not be shown"))],
            group="scheduling",
            retry_policy=RetryPolicy(pauses=()),
        )
    subscription.passed(batch)
    await subscription.close()


def test_tail_shows_ids_and_no_resource(lumbar: CliRunner) -> None:
    result = lumbar.invoke(cli_events.events, ["tail", "--topic", REFERRAL])
    assert result.exit_code == 0
    assert "toy.claimed" in result.output
    assert "MessageHeader" not in result.output


def test_tail_shows_resources_to_somebody_who_asks(lumbar: CliRunner) -> None:
    result = lumbar.invoke(cli_events.events, ["tail", "--topic", REFERRAL, "--resources"])
    assert "MessageHeader" in result.output


def test_an_unknown_topic_is_refused_with_what_is_allowed(lumbar: CliRunner) -> None:
    result = lumbar.invoke(cli_events.events, ["tail", "--topic", "lumbar.weather"])
    assert result.exit_code == 1
    assert "lumbar.scheduling" in result.output


def test_a_held_key_is_listed_by_class_and_never_by_text(lumbar: CliRunner) -> None:
    result = lumbar.invoke(cli_events.dead_letters, ["list"])
    assert "scheduling p1 dead events=1" in result.output
    assert "error=ValueError" in result.output
    assert "a name" not in result.output


def test_what_waits_behind_a_key_is_shown_without_resources(lumbar: CliRunner) -> None:
    result = lumbar.invoke(cli_events.dead_letters, ["show", "scheduling", "p1"])
    assert "toy.claimed" in result.output
    assert "MessageHeader" not in result.output
    more = lumbar.invoke(cli_events.dead_letters, ["show", "scheduling", "p1", "--resources"])
    assert "MessageHeader" in more.output


def test_replay_makes_a_dead_key_due_again(lumbar: CliRunner) -> None:
    result = lumbar.invoke(cli_events.dead_letters, ["replay", "scheduling", "p1"])
    assert "tries 1 events" in result.output
    assert "p1 retrying" in lumbar.invoke(cli_events.dead_letters, ["list"]).output


def test_replay_of_a_key_that_is_not_held_fails(lumbar: CliRunner) -> None:
    result = lumbar.invoke(cli_events.dead_letters, ["replay", "scheduling", "p2"])
    assert result.exit_code == 1


def test_a_service_reads_a_topic_again_only_where_it_has_read(lumbar: CliRunner) -> None:
    first = lumbar.invoke(cli_events.events, ["replay", "scheduling", REFERRAL])
    assert "reads lumbar.referral again from 0 on" in first.output
    again = lumbar.invoke(cli_events.events, ["replay", "scheduling", REFERRAL])
    assert "nothing to read again" in again.output
