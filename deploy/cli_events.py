"""`lumbar events` and `lumbar dead-letters`: looking at the logs and at what is held, and setting it going.

Invariant: nothing about a person is printed unless the operator asks for the resources by their option.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Annotated, Any

import typer

from deploy.attach import attached
from deploy.event_logs import open_logs
from deploy.services import SERVICES
from shared.db import Database
from shared.events.inbox import dead_letters as held
from shared.events.topics import TOPICS
from shared.events.transport import positions
from shared.events.transport.base import Record

events = typer.Typer(help="Look at the event logs.", no_args_is_help=True)
dead_letters = typer.Typer(help="Look at held events and try them again.", no_args_is_help=True)

TopicOption = Annotated[list[str] | None, typer.Option("--topic", help="Only these topics.")]
Resources = Annotated[bool, typer.Option("--resources", help="Show the resources too (patient data).")]


@events.command()
def tail(
    topic: TopicOption = None,
    lines: Annotated[int, typer.Option("-n", "--lines", min=0, help="How many of each topic.")] = 20,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on as events come.")] = False,
    resources: Resources = False,
) -> None:
    """Show the newest events of each topic: place, time, type, aggregate, version and id."""
    topics = topic or list(TOPICS)
    for name in topics:
        _known(name)

    async def show() -> None:
        async with open_logs() as logs:
            for record in await logs.last(topics, records=lines):
                _show(record, resources=resources)
            if follow:
                async for record in logs.newer(topics):
                    _show(record, resources=resources)

    asyncio.run(show())


@events.command()
def replay(
    group: Annotated[str, typer.Argument(help="The service that reads again.")],
    topic: Annotated[str, typer.Argument(help="The topic that it reads.")],
    offset: Annotated[int, typer.Option("--from", min=0, help="Read again from this offset on.")] = 0,
) -> None:
    """Let a service read a topic again; what it has handled already has no second effect.

    On Kafka the offset counts in every partition. Workers that run find it within seconds.
    """
    _known(topic)
    if group not in SERVICES:
        _fail(f"{group} is none of {', '.join(SERVICES)}")

    async def set_back(databases: dict[str, Database]) -> None:
        database = _database(databases, group)
        if await positions.set_back(database, group=group, topic=topic, offset=offset):
            typer.echo(f"{group} reads {topic} again from {offset} on")
        else:
            typer.echo(f"{group} has not read {topic} beyond {offset}: nothing to read again")

    _run(set_back)


@dead_letters.command("list")
def list_(
    dead: Annotated[bool, typer.Option("--dead", help="Only keys that are not tried any more.")] = False,
) -> None:
    """List the held keys of every service: how many events wait, since when, and why."""

    async def show_keys(databases: dict[str, Database]) -> None:
        found = [key for base in databases.values() for key in await held.list_keys(base, only_dead=dead)]
        for key in found:
            typer.echo(
                f"{key.group} {key.key} {key.state} events={key.events} attempts={key.attempts}"
                f" since={key.since:%Y-%m-%dT%H:%M:%SZ} error={key.error}"
            )
        if not found:
            typer.echo("nothing is held")

    _run(show_keys)


@dead_letters.command()
def show(group: str, key: str, resources: Resources = False) -> None:
    """Show the events that wait behind a key, in order."""

    async def show_events(databases: dict[str, Database]) -> None:
        waiting = await held.show(_database(databases, group), group=group, key=key, with_resources=resources)
        for event in waiting:
            place = f"{event.topic}/{event.partition}/{event.offset}"
            typer.echo(f"{event.seq} {event.type or '-'} {event.event_id} {place}")
            if resources:
                typer.echo(event.value.decode(errors="replace"))
        if not waiting:
            _fail(f"{group} holds no event of {key}")

    _run(show_events)


@dead_letters.command("replay")
def replay_held(group: str, key: str) -> None:
    """Try a held key again, in order; the service's worker does it, within seconds where it runs."""

    async def make_due(databases: dict[str, Database]) -> None:
        async with _database(databases, group).transaction() as tx:
            waiting = await held.replay(tx, group=group, key=key)
        if not waiting:
            _fail(f"{group} holds no event of {key}")
        typer.echo(f"{group} tries {waiting} events of {key} again")

    _run(make_due)


def _show(record: Record, *, resources: bool) -> None:
    names = ("ce_time", "ce_type", "ce_subject", "ce_version", "ce_id")
    place = f"{record.topic}/{record.partition}/{record.offset}"
    typer.echo(" ".join([place, *(record.headers.get(name, "-") for name in names)]))
    if resources:
        typer.echo(record.value.decode(errors="replace"))


def _run(command: Callable[[dict[str, Database]], Coroutine[Any, Any, None]]) -> None:
    async def run() -> None:
        async with attached() as databases:
            await command(databases)

    asyncio.run(run())


def _database(databases: dict[str, Database], service: str) -> Database:
    if service not in databases:
        _fail(f"{service} is none of {', '.join(databases)}")
    return databases[service]


def _known(topic: str) -> None:
    if topic not in TOPICS:
        _fail(f"{topic} is none of {', '.join(TOPICS)}")


def _fail(text: str) -> None:
    typer.echo(text, err=True)
    raise typer.Exit(1)
