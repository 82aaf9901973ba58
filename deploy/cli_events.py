"""`lumbar events` and `lumbar dead-letters`: looking at the logs and at what is held, and setting it going.

Invariant: nothing about a person is printed unless the operator asks for the resources by their option.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Annotated, Any

import typer

from deploy.attach import attached
from shared.db import Database
from shared.events import dead_letters as held
from shared.events import log as event_log
from shared.events.postgres import read_again
from shared.events.topics import TOPICS
from shared.events.transport import Record

events = typer.Typer(help="Look at the event logs.", no_args_is_help=True)
dead_letters = typer.Typer(help="Look at held events and try them again.", no_args_is_help=True)

_PAUSE = 0.5
_PAGE = 500

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
    _run(lambda databases: _tail(databases, topics, lines=lines, follow=follow, resources=resources))


@events.command()
def replay(
    group: Annotated[str, typer.Argument(help="The service that reads again.")],
    topic: Annotated[str, typer.Argument(help="The topic that it reads.")],
    offset: Annotated[int, typer.Option("--from", min=0, help="Read again from this offset on.")] = 0,
) -> None:
    """Let a service read a topic again; what it has handled already has no second effect."""
    _known(topic)

    async def set_back(databases: dict[str, Database]) -> None:
        database = _database(databases, group)
        if await read_again(database, group=group, topic=topic, offset=offset):
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
    """Try a held key again, in order; the service's worker does it, at once where it runs."""

    async def make_due(databases: dict[str, Database]) -> None:
        waiting = await held.replay(_database(databases, group), group=group, key=key)
        if not waiting:
            _fail(f"{group} holds no event of {key}")
        typer.echo(f"{group} tries {waiting} events of {key} again")

    _run(make_due)


async def _tail(
    databases: dict[str, Database], topics: list[str], *, lines: int, follow: bool, resources: bool
) -> None:
    offsets = {}
    for topic in topics:
        extent = await event_log.extent(databases[TOPICS[topic].publisher], topic)
        offsets[topic] = max(extent.first, extent.end - lines)
    while True:
        async for record in _newer(databases, offsets):
            typer.echo(_line(record))
            if resources:
                typer.echo(record.value.decode(errors="replace"))
        if not follow:
            return
        await asyncio.sleep(_PAUSE)


async def _newer(databases: dict[str, Database], offsets: dict[str, int]) -> AsyncIterator[Record]:
    for topic, offset in offsets.items():
        source = databases[TOPICS[topic].publisher]
        while records := await event_log.read(source, topic, offset=offset, limit=_PAGE):
            for record in records:
                yield record
            offset = offsets[topic] = records[-1].offset + 1


def _line(record: Record) -> str:
    names = ("ce_time", "ce_type", "ce_subject", "ce_version", "ce_id")
    return " ".join([f"{record.topic}/{record.offset}", *(record.headers.get(name, "-") for name in names)])


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
