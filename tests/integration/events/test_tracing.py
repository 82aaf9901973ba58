"""One trace from the publishing span to the handler's, only where it is sampled."""

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, ParentBased, Sampler

from shared.context import Context
from shared.db import Database, Transaction
from shared.events.envelope import Event
from shared.events.inbox.handler_call import Handlers
from shared.telemetry import tracing
from tests.conftest import MakeDatabase
from tests.support.context import contexts
from tests.support.events import METADATA, claim, new_toy
from tests.support.sql import sql


async def published(database: Database) -> list[Event]:
    async with database.transaction() as tx:
        rows = (await sql(tx, "SELECT key, headers, value FROM outbox ORDER BY id")).all()
    return [Event.from_wire(key=row.key, headers=row.headers, value=row.value) for row in rows]


async def trace_of_a_chain(
    database: Database, sampler: Sampler, monkeypatch: pytest.MonkeyPatch
) -> tuple[list[Event], InMemorySpanExporter]:
    """Publish in a span, handle that event, and publish again in the handler."""
    exporter, provider = InMemorySpanExporter(), TracerProvider(sampler=ParentBased(sampler))
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("test")
    monkeypatch.setattr(tracing, "_tracer", tracer)
    toy = await new_toy(database)

    async def pass_on(ctx: Context, tx: Transaction, event: Event) -> None:
        await claim(tx, toy, key="p1")

    with tracer.start_as_current_span("POST /fhir"):
        async with database.transaction() as tx:
            await claim(tx, toy, key="p1")
    handlers = Handlers(
        group="scheduling", table={"toy.claimed": pass_on}, context=contexts(service="scheduling")
    )
    async with database.transaction() as tx:
        await handlers.call(tx, (await published(database))[0])
    return await published(database), exporter


async def test_a_sampled_trace_goes_from_the_request_through_the_handler_to_what_it_publishes(
    make_database: MakeDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = await make_database(METADATA)
    (first, second), exporter = await trace_of_a_chain(database, ALWAYS_ON, monkeypatch)
    request, handled = exporter.get_finished_spans()

    assert handled.name == "scheduling handles toy.claimed"
    assert handled.parent is not None
    assert handled.parent.span_id == request.get_span_context().span_id
    assert first.traceparent is not None
    assert second.traceparent is not None
    assert first.traceparent.split("-")[1] == second.traceparent.split("-")[1]
    assert second.traceparent.split("-")[2] == f"{handled.get_span_context().span_id:016x}"


async def test_an_unsampled_event_makes_no_span(
    make_database: MakeDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = await make_database(METADATA)
    events, exporter = await trace_of_a_chain(database, ALWAYS_OFF, monkeypatch)

    assert len(events) == 2
    assert exporter.get_finished_spans() == ()
