"""Processes wake each other by NOTIFY on a connection of their own; here each process is a Database."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import cast

from shared.db import Database
from shared.events.pg_notify import NotifyChannel, api_channel, log_channel, worker_channel
from shared.events.topics import REFERRAL
from shared.events.transport import event_log
from shared.events.transport.base import OutboxRow
from shared.events.worker import Worker
from tests.conftest import MakeDatabase
from tests.support.events import METADATA, claim, new_toy
from tests.support.eventually import eventually

WITHIN = 20.0


async def test_what_one_process_says_the_others_hear_and_it_does_not(make_database: MakeDatabase) -> None:
    database = await make_database(METADATA)
    async with process(database) as one, process(database) as two:
        one.notices.publish("relay")
        await eventually(lambda: two.heard == ["relay"], within=WITHIN)
        two.notices.publish("timers")
        await eventually(lambda: one.heard == ["timers"], within=WITHIN)
    assert (one.heard, two.heard) == (["timers"], ["relay"])


async def test_what_is_said_at_once_is_one_notice(make_database: MakeDatabase) -> None:
    database = await make_database(METADATA)
    async with process(database) as one, process(database) as two:
        for _ in range(1000):
            one.notices.publish("relay")
        one.notices.publish("over")
        await eventually(lambda: "over" in two.heard, within=WITHIN)
    assert sorted(two.heard) == ["over", "relay"]


async def test_after_a_lost_connection_everything_may_have_been_missed(make_database: MakeDatabase) -> None:
    database = await make_database(METADATA)
    async with process(database) as one, process(database) as two:
        await database.fetch(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND query ILIKE 'listen%' AND pid <> pg_backend_pid()",
        )
        await eventually(lambda: two.gaps == 2 and one.gaps == 2, within=WITHIN)
        one.notices.publish("relay")
        await eventually(lambda: two.heard == ["relay"], within=WITHIN)


async def test_a_command_in_an_api_wakes_the_relay_in_a_worker(make_database: MakeDatabase) -> None:
    database = await make_database(METADATA)
    woken: list[str] = []
    of_worker, of_api = twin(database), twin(database)
    of_worker.wake_relay = lambda: woken.append("relay")
    of_worker.wake_timers = lambda: woken.append("timers")
    worker = cast(Worker, SimpleNamespace(runtime=SimpleNamespace(database=of_worker), leads=lambda: True))
    hearing, saying = worker_channel(worker), api_channel(of_api)
    await hearing.start()
    await saying.start()
    await eventually(lambda: woken == ["relay", "timers"], within=WITHIN)
    toy = await new_toy(of_api)
    async with of_api.transaction() as tx:
        await claim(tx, toy, key="p1")
    await eventually(lambda: woken == ["relay", "timers", "relay"], within=WITHIN)
    for notices, of_process in ((hearing, of_worker), (saying, of_api)):
        await notices.stop()
        await of_process.close()


async def test_a_worker_that_does_not_lead_wakes_the_one_that_does(make_database: MakeDatabase) -> None:
    database = await make_database(METADATA)
    own = twin(database)
    leads = False
    worker = cast(Worker, SimpleNamespace(runtime=SimpleNamespace(database=own), leads=lambda: leads))
    notices = worker_channel(worker)
    await notices.start()
    async with process(database) as leader:
        own.wake_relay()
        await eventually(lambda: leader.heard == ["relay"], within=WITHIN)
        leads = True
        own.wake_relay()
        own.tell_readers("over")
        await eventually(lambda: "log over" in leader.heard, within=WITHIN)
    assert leader.heard == ["relay", "log over"]
    await notices.stop()
    await own.close()


async def test_an_append_in_one_process_wakes_the_readers_in_another(
    make_database: MakeDatabase,
) -> None:
    database = await make_database(METADATA)
    appending, reading = twin(database), twin(database)
    worker = cast(Worker, SimpleNamespace(runtime=SimpleNamespace(database=appending), leads=lambda: True))
    told, hearing = worker_channel(worker), log_channel(reading)
    with event_log.watch(reading, REFERRAL) as wake, event_log.watch(reading, "other") as other:
        await hearing.start()
        await told.start()
        await wake.wait(at_most=WITHIN)
        for one in (wake, other):
            one.clear()
        async with appending.transaction() as tx:
            row = OutboxRow(id=1, event_id="e", topic=REFERRAL, key="k", headers={}, value=b"{}")
            await event_log.append_all(tx, [row])
        await eventually(wake._event.is_set, within=WITHIN)
        assert not other._event.is_set()
    for notices, of_process in ((hearing, reading), (told, appending)):
        await notices.stop()
        await of_process.close()


class Process:
    """What one process says and hears."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.heard: list[str] = []
        self.gaps = 0
        self.notices = NotifyChannel(database, on_notify=self.hear)

    def hear(self, what: str | None) -> None:
        if what is None:
            self.gaps += 1
        else:
            self.heard.append(what)


@asynccontextmanager
async def process(database: Database) -> AsyncIterator[Process]:
    """Be another process with the same database, listening."""
    one = Process(twin(database))
    await one.notices.start()
    try:
        await eventually(lambda: one.gaps == 1, within=WITHIN)
        yield one
    finally:
        await one.notices.stop()
        await one.database.close()


def twin(database: Database) -> Database:
    """Connect once more, as another process would."""
    return Database.connect(database.url, name=database.name)
