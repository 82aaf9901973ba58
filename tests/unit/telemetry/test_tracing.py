"""Traces: one over all hops where it is sampled, nothing where it is not."""

from collections.abc import Iterator

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from shared.telemetry.tracing import current_traceparent, handler_span, server_span, start_tracing


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    start_tracing(ratio=1.0, exporter=exporter)
    yield exporter
    start_tracing(ratio=0.0)


class TestTrace:
    def test_goes_on_in_the_handler_of_what_the_request_published(self, spans: InMemorySpanExporter) -> None:
        with server_span(None):
            published = current_traceparent()
        with handler_span("referral.accepted", traceparent=published):
            next_hop = current_traceparent()
        with handler_span("appointment.booked", traceparent=next_hop):
            pass
        request, accepted, booked = spans.get_finished_spans()
        assert len({span.context.trace_id for span in (request, accepted, booked)}) == 1
        assert accepted.parent is not None
        assert accepted.parent.span_id == request.context.span_id
        assert booked.parent is not None
        assert booked.parent.span_id == accepted.context.span_id

    def test_that_is_not_sampled_publishes_nothing_and_opens_nothing(
        self, spans: InMemorySpanExporter
    ) -> None:
        start_tracing(ratio=0.0, exporter=spans)
        with server_span(None):
            assert current_traceparent() is None
        with handler_span("referral.accepted", traceparent=None):
            assert current_traceparent() is None
        assert spans.get_finished_spans() == ()

    @pytest.mark.parametrize(
        "wrong", ["Featherstone", "00-x-y-01", "", "01-" + "a" * 32 + "-" + "b" * 16 + "-01"]
    )
    def test_is_begun_anew_where_the_header_is_none(self, spans: InMemorySpanExporter, wrong: str) -> None:
        with server_span(wrong):
            pass
        (span,) = spans.get_finished_spans()
        assert span.parent is None

    def test_keeps_no_text_of_an_exception(self, spans: InMemorySpanExporter) -> None:
        with pytest.raises(ValueError, match="Featherstone"), server_span(None):
            raise ValueError("about Featherstone")
        (span,) = spans.get_finished_spans()
        assert "Featherstone" not in span.to_json()

    def test_holds_the_spans_of_whoever_names_the_api_alone(self, spans: InMemorySpanExporter) -> None:
        with server_span(None), trace.get_tracer("elsewhere").start_as_current_span("inner"):
            pass
        inner, request = spans.get_finished_spans()
        assert inner.context.trace_id == request.context.trace_id
