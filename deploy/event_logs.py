"""Where the events of a clinic lie, for the commands that look at them: databases, or Kafka.

Invariant: looking changes nothing.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

from deploy.attach import attached
from deploy.events import kafka_address
from deploy.settings import Settings, SettingsError, load_settings, variable
from shared.db import Database
from shared.events.topics import FEED, TOPICS
from shared.events.transport import event_log
from shared.events.transport.base import Record
from shared.events.transport.kafka.address import KafkaUnusable

_PAGE = 500
_PAUSE = 0.5


class EventLogs(Protocol):
    """The logs as an operator sees them."""

    async def last(self, topics: Sequence[str], *, records: int) -> Sequence[Record]:
        """Give the last so many records of each topic."""
        ...

    def newer(self, topics: Sequence[str]) -> AsyncIterator[Record]:
        """Give what comes after the last that was given, for ever."""
        ...

    async def close(self) -> None:
        """Let go of every connection."""
        ...


class DatabaseLogs:
    """Every topic in its publisher's database."""

    def __init__(self, databases: Mapping[str, Database]) -> None:
        self._databases = databases
        self._offsets: dict[str, int] = {}

    async def last(self, topics: Sequence[str], *, records: int) -> Sequence[Record]:
        """Give the last so many records of each topic."""
        for topic in topics:
            extent = await event_log.extent(self._source(topic), topic)
            self._offsets[topic] = max(extent.first, extent.end - records)
        return [record for topic in topics for record in await self.rest(topic)]

    async def newer(self, topics: Sequence[str]) -> AsyncIterator[Record]:
        """Give what comes after the last that was given, for ever."""
        while True:
            for topic in topics:
                for record in await self.rest(topic):
                    yield record
            await asyncio.sleep(_PAUSE)

    async def rest(self, topic: str) -> list[Record]:
        """Give what comes after the last that was given of this topic."""
        found: list[Record] = []
        while page := await event_log.read(
            self._source(topic), topic, offset=self._offsets[topic], limit=_PAGE
        ):
            found += page
            self._offsets[topic] = page[-1].offset + 1
        return found

    async def close(self) -> None:
        """Nothing to let go of: the databases belong to whoever made them."""

    def _source(self, topic: str) -> Database:
        publisher = TOPICS[topic].publisher
        if publisher not in self._databases:
            raise SettingsError(f"{variable(f'{publisher}_database_url')}: needed to read {topic}")
        return self._databases[publisher]


class KafkaLogs:
    """Every topic on Kafka but the feed, which stays in its publisher's database."""

    def __init__(self, settings: Settings, databases: Mapping[str, Database]) -> None:
        from shared.events.transport.kafka.tail import Tail

        self._address = kafka_address(settings)
        self._feed = DatabaseLogs(databases)
        self._tail: Tail | None = None

    async def last(self, topics: Sequence[str], *, records: int) -> Sequence[Record]:
        """Give the last so many records of each topic, in the order in which they were made."""
        from shared.events.transport.kafka.tail import Tail

        found = list(await self._feed.last([FEED], records=records)) if FEED in topics else []
        on_kafka = [topic for topic in topics if topic != FEED]
        if on_kafka:
            self._tail = Tail(self._address, on_kafka)
            await self._tail.back(records=records)
            read = [record async for record in self._tail.newer()]
            read.sort(key=lambda record: record.headers.get("ce_id", ""))
            for topic in on_kafka:
                of_topic = [record for record in read if record.topic == topic]
                found += of_topic[max(0, len(of_topic) - records) :]
        return found

    async def newer(self, topics: Sequence[str]) -> AsyncIterator[Record]:
        """Give what comes after the last that was given, for ever."""
        while True:
            if self._tail is not None:
                async for record in self._tail.newer():
                    yield record
            if FEED in topics:
                for record in await self._feed.rest(FEED):
                    yield record
            await asyncio.sleep(_PAUSE)

    async def close(self) -> None:
        """Let go of every connection."""
        if self._tail is not None:
            await self._tail.close()


@asynccontextmanager
async def open_logs() -> AsyncIterator[EventLogs]:
    """Open the logs of the clinic that the settings name; raises OneLine where it cannot be reached."""
    settings = load_settings()
    async with attached() as databases:
        logs = KafkaLogs(settings, databases) if settings.kafka_bootstrap else DatabaseLogs(databases)
        try:
            yield logs
        except KafkaUnusable as error:
            raise SettingsError(f"{variable('kafka_bootstrap')}: {error}") from error
        finally:
            await logs.close()
