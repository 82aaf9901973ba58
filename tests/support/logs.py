"""All that was published in a test's clinic, read from wherever its events are carried."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Protocol

from shared.db import Database
from shared.events.envelope import Event
from shared.events.topics import FEED, TOPICS
from shared.events.transport import event_log
from shared.events.transport.base import Record, Transport
from shared.events.transport.kafka.tail import Tail
from shared.events.transport.kafka.topics import prepare_topics
from shared.events.transport.kafka.transport import KafkaTransport
from shared.events.transport.postgres_log import PostgresTransport
from tests.support.kafka import kafka_of_run

_TOPICS = [topic for topic in TOPICS.values() if topic.name != FEED]


class Logs(Protocol):
    """What carries a clinic's events, and how to read them all."""

    transport: Transport

    async def read(self) -> list[Event]:
        """Give every event so far, topic by topic, in order within a patient."""
        ...


class _OnDatabases:
    def __init__(self, databases: Mapping[str, Database]) -> None:
        self.transport: Transport = PostgresTransport(databases)
        self._databases = databases

    async def read(self) -> list[Event]:
        found: list[Record] = []
        for topic in _TOPICS:
            source = self._databases[topic.publisher]
            found += await event_log.read(source, topic.name, offset=0, limit=1_000_000)
        return [_event(record) for record in found]


class _OnKafka:
    def __init__(self, transport: KafkaTransport, tail: Tail) -> None:
        self.transport: Transport = transport
        self._tail = tail
        self._found: list[Event] = []

    async def read(self) -> list[Event]:
        async for record in self._tail.newer():
            self._found.append(_event(record))
        return list(self._found)


@asynccontextmanager
async def on_databases(databases: Mapping[str, Database]) -> AsyncIterator[Logs]:
    """Carry the events in their publishers' databases."""
    yield _OnDatabases(databases)


@asynccontextmanager
async def on_kafka() -> AsyncIterator[Logs]:
    """Carry the events over the run's Kafka, in topics of this clinic's own."""
    address = kafka_of_run()
    await prepare_topics(address)
    transport = KafkaTransport(address)
    tail = Tail(address, [topic.name for topic in _TOPICS])
    try:
        yield _OnKafka(transport, tail)
    finally:
        await tail.close()
        await transport.close()


def _event(record: Record) -> Event:
    return Event.from_wire(key=record.key, headers=record.headers, value=record.value)
