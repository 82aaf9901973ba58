"""Watch everything that a process tells about itself, and look for a word that must not be there.

with watching() as told:
    ... plant a name in body, query and header, and let everything run ...
    await told.read(databases, workers)
    told.must_not_hold("Featherstone")
"""

import io
import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import structlog
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from shared.db import Database
from shared.telemetry import metrics
from shared.telemetry.logging import start_logging
from shared.telemetry.tracing import start_tracing
from tests.support.sql import sql

_EVENTS = {
    "outbox": "SELECT key, headers::text AS headers FROM outbox",
    "event_log": "SELECT key, headers::text AS headers FROM event_log",
    "held_key": "SELECT key, error AS headers FROM held_key",
    "held_event": "SELECT key, headers::text AS headers FROM held_event",
    "timer": "SELECT kind || '/' || ref AS key, error AS headers FROM timer",
}


@dataclass
class Told:
    """What was told: log lines, spans, figures, and the keys and headers of events."""

    spans: InMemorySpanExporter
    lines: io.StringIO
    figures: str = ""
    events: list[str] = field(default_factory=list)

    async def read(
        self, databases: Iterable[Database] = (), workers: Mapping[str, Any] | None = None
    ) -> None:
        """Read the figures and what stands of events in these databases."""
        self.figures = (await metrics.exposition(workers or {})).decode()
        for database in databases:
            for table, statement in _EVENTS.items():
                async with database.transaction() as tx:
                    found = await sql(tx, statement)
                    self.events += [f"{table}: {row.key} {row.headers}" for row in found]

    @property
    def log(self) -> list[dict[str, Any]]:
        """The log lines, decoded; each is one JSON object."""
        return [json.loads(line) for line in self.lines.getvalue().splitlines()]

    def must_not_hold(self, *words: str) -> None:
        """Fail with the places where one of these words stands, in whatever spelling it travels."""
        found = [
            f"{word!r} in {place}: {text}"
            for word in words
            for place, text in self._texts()
            if any(form.lower() in text.lower() for form in {word, quote(word), ascii(word)[1:-1]})
        ]
        assert not found, "\n".join(found)

    def _texts(self) -> Iterator[tuple[str, str]]:
        for line in self.lines.getvalue().splitlines():
            yield "a log line", line
        for span in self.spans.get_finished_spans():
            yield "a span", span.to_json()
        for line in self.figures.splitlines():
            yield "a figure", line
        for event in self.events:
            yield "an event's key or headers", event


@contextmanager
def watching() -> Iterator[Told]:
    """Catch log lines and spans of this process, all of them, until the block ends."""
    told = Told(InMemorySpanExporter(), io.StringIO())
    with restored_logging():
        start_logging(stream=told.lines)
        start_tracing(ratio=1.0, exporter=told.spans)
        try:
            yield told
        finally:
            start_tracing(ratio=0.0)


@contextmanager
def restored_logging() -> Iterator[None]:
    """Give the root logger back as it was, and structlog its defaults."""
    handlers, level = logging.root.handlers, logging.root.level
    try:
        yield
    finally:
        logging.root.handlers, logging.root.level = handlers, level
        structlog.reset_defaults()
