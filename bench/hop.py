"""One hop beside its floor, in a process of its own: `python -m bench.hop embedded|kafka EVENTS ROUNDS`.

A hop is: event put into the outbox, relayed, read by a consumer with an empty handler, inbox row committed.
Rows go into the outbox in transactions of 100; relay and consumer are those of every service. The floor moves
the same bytes with nothing around them (hop_floor.py, hop_kafka.py). A line of JSON for each round.
"""

import asyncio
import json
import logging
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import uvloop

from bench import hop_floor, hop_kafka, machine
from bench.referrals import bodies
from deploy.embedded import EmbeddedPostgres
from deploy.kafka import LocalKafka
from deploy.runtime import open_databases
from shared.auth.verifier import TokenVerifier
from shared.clinic import load_clinic
from shared.clinic.current import CurrentClinic
from shared.clock import SystemClock
from shared.context import Context
from shared.db import Database, Transaction
from shared.events.envelope import Event
from shared.events.message import head, message
from shared.events.topics import REFERRAL, SCHEDULING
from shared.events.transport.base import OutboxRow, Transport
from shared.events.transport.kafka.address import KafkaAddress
from shared.events.transport.kafka.topics import prepare_topics
from shared.events.transport.kafka.transport import KafkaTransport
from shared.events.transport.postgres_log import PostgresTransport
from shared.events.worker import Worker
from shared.fhir.codes import LUMBAR
from shared.ids import new_text_id
from shared.runtime import Runtime
from shared.telemetry.logging import start_logging

BATCH = 100
_TYPE = "referral.accepted"
_EXAMPLE = Path(__file__).parents[1] / "examples" / "clinic.yaml"
_INTO_OUTBOX = (
    "INSERT INTO outbox (event_id, topic, key, headers, value, machine_at)"
    " SELECT r.event_id, $1, r.key, r.headers::jsonb, r.value, $2"
    " FROM unnest($3::text[], $4::text[], $5::text[], $6::bytea[]) AS r (event_id, key, headers, value)"
)


@dataclass(frozen=True, kw_only=True)
class Wire:
    """A publisher and a consumer with a transport between them."""

    databases: Mapping[str, Database]
    transport: Transport
    kafka: KafkaAddress | None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run the publisher's and the consumer's worker."""
        publisher = Worker(self._runtime("referral"), topics=(SCHEDULING,), handlers={}, timers={})
        consumer = Worker(
            self._runtime("scheduling"), topics=(REFERRAL,), handlers={_TYPE: _nothing}, timers={}
        )
        async with AsyncExitStack() as ends:
            for worker in (publisher, consumer):
                await worker.start()
                ends.push_async_callback(worker.stop)
            yield

    def _runtime(self, service: str) -> Runtime:
        return Runtime(
            service=service,
            database=self.databases[service],
            clock=SystemClock(),
            current=CurrentClinic(load_clinic(_EXAMPLE)),
            transport=self.transport,
            verifier=cast(TokenVerifier, None),
            base_url="http://127.0.0.1",
        )


async def measure(wire: Wire, *, events: int, rounds: int) -> None:
    """Print hop and floor of each round, after one that does not count."""
    async with wire.running():
        for round_ in range(rounds + 1):
            rows = _rows(events if round_ else BATCH * 5)
            spin = machine.spin()
            hop = len(rows) / await _hop(wire, rows)
            floor = await _floor(wire, _rows(len(rows)))
            if round_:
                print(json.dumps({"hop": hop, "floor": floor, "spin": spin}), flush=True)


async def _hop(wire: Wire, rows: Sequence[OutboxRow]) -> float:
    """Move these events, and give the seconds until the last inbox row was there."""
    before = await _handled(wire)
    began = time.monotonic()
    for start in range(0, len(rows), BATCH):
        await put(wire.databases["referral"], rows[start : start + BATCH])
        wire.databases["referral"].wake_relay()
    while await _handled(wire) < before + len(rows):  # noqa: ASYNC110 - it happens in a database
        await asyncio.sleep(0.01)
    return time.monotonic() - began


async def _floor(wire: Wire, rows: Sequence[OutboxRow]) -> float:
    if wire.kafka is None:
        return await hop_floor.rate(wire.databases, rows)
    return await hop_kafka.rate(wire.kafka, rows)


async def put(database: Database, rows: Sequence[OutboxRow]) -> None:
    """Put rows into the outbox in one transaction."""
    async with database.transaction() as tx:
        await tx.run(_INTO_OUTBOX, REFERRAL, datetime.now(UTC), *hop_floor.columns(rows))


async def _handled(wire: Wire) -> int:
    async with wire.databases["scheduling"].transaction() as tx:
        return int(await tx.value("SELECT count(*) FROM inbox"))


async def _nothing(_: Context, __: Transaction, ___: Event) -> None:
    """Handle nothing."""


def _rows(count: int) -> list[OutboxRow]:
    """Make events as the main path has them: the request of a referral and its Task, about 2.5 KB."""
    request = next(
        entry["resource"]
        for entry in json.loads(next(bodies(range(1))))["entry"]
        if entry["resource"]["resourceType"] == "ServiceRequest"
    )
    return [_row({**request, "id": new_text_id()}) for _ in range(count)]


def _row(request: Mapping[str, Any]) -> OutboxRow:
    event_id, patient, at = new_text_id(), new_text_id(), datetime.now(UTC)
    task = {"resourceType": "Task", "id": new_text_id(), "status": "in-progress", "intent": "order"}
    source = f"{LUMBAR}/referral"
    event = Event(
        id=event_id,
        type=_TYPE,
        source=source,
        subject=f"ServiceRequest/{request['id']}",
        time=at,
        key=patient,
        version=1,
        traceparent=None,
        causation=None,
        value=message(
            event_id=event_id,
            event_type=_TYPE,
            source=source,
            at=at,
            resources=[(head(one), one) for one in (request, task)],
        ),
    )
    return OutboxRow(
        id=0, event_id=event_id, topic=REFERRAL, key=patient, headers=event.headers(), value=event.value
    )


async def _run(
    transport: str, server: EmbeddedPostgres, kafka: LocalKafka | None, counts: Sequence[int]
) -> None:
    databases = await open_databases(server.url)
    address = None
    carried: Transport = PostgresTransport(databases)
    if kafka is not None:
        address = KafkaAddress(bootstrap=kafka.bootstrap, username=None, password=None, tls=False, ca=None)
        await prepare_topics(address)
        carried = KafkaTransport(address)
    await measure(
        Wire(databases=databases, transport=carried, kafka=address), events=counts[0], rounds=counts[1]
    )
    await carried.close()
    for database in databases.values():
        await database.close()


def main(transport: str, events: str, rounds: str) -> None:
    """Measure on a server of its own that writes durably; standard output is for the figures."""
    start_logging(level=logging.WARNING)
    with tempfile.TemporaryDirectory(prefix="lumbar-hop-") as made:
        folder = Path(made)
        folder.chmod(0o711)
        server = EmbeddedPostgres.start(folder / "data")
        kafka = LocalKafka.start(folder / "kafka") if transport == "kafka" else None
        try:
            uvloop.run(_run(transport, server, kafka, (int(events), int(rounds))))
        finally:
            server.stop()
            if kafka is not None:
                kafka.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
