"""Traces: one from the POST to the last notification, made of ids, route templates and times.

Invariants:
- A span's name and attributes hold templates, types and ids, never a path, a query, a header or a body.
- Of an incoming request only `traceparent` is read; `tracestate` and `baggage` could carry anything.
- Nothing is recorded for a trace that is not sampled; the ratio is decided once, at the root.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter
from opentelemetry.sdk.trace.sampling import (
    ALWAYS_OFF,
    ParentBased,
    Sampler,
    SamplingResult,
    TraceIdRatioBased,
)
from opentelemetry.trace import Link, NonRecordingSpan, Span, SpanContext, SpanKind, TraceFlags, TraceState
from opentelemetry.util.types import Attributes

DEFAULT_RATIO = 0.01

_ODD = frozenset("13579bdf")
_TRACEPARENT = re.compile(r"^00-(?P<trace>[0-9a-f]{32})-(?P<span>[0-9a-f]{16})-(?P<flags>[0-9a-f]{2})$")


class _Ratio(Sampler):
    """Samples a part of all traces; the part can be changed while the process runs."""

    def __init__(self) -> None:
        self.inner: Sampler = ALWAYS_OFF

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        return self.inner.should_sample(parent_context, trace_id, name, kind, attributes, links)

    def get_description(self) -> str:
        return self.inner.get_description()


class _Export(SpanProcessor):
    """Gives finished spans to the exporter and the processor of the moment, if there are any."""

    def __init__(self) -> None:
        self.exporter: SpanExporter | None = None
        self.processor: SpanProcessor | None = None

    def on_end(self, span: ReadableSpan) -> None:
        if not span.context.trace_flags.sampled:
            return
        if self.exporter is not None:
            self.exporter.export((span,))
        if self.processor is not None:
            self.processor.on_end(span)


_ratio = _Ratio()
_export = _Export()


def _provider_of(resource: Resource) -> TracerProvider:
    provider = TracerProvider(resource=resource, sampler=ParentBased(_ratio), shutdown_on_exit=False)
    provider.add_span_processor(_export)
    return provider


_provider = _provider_of(Resource({"service.name": "lumbar"}))
_tracer = _provider.get_tracer("lumbar")
# For whoever names OpenTelemetry's API alone: there is one provider in a process, and it is this.
trace.set_tracer_provider(_provider)


def start_tracing(*, ratio: float = DEFAULT_RATIO, exporter: SpanExporter | None = None) -> None:
    """Sample this part of all traces from now on and give the finished spans to the exporter."""
    _ratio.inner = TraceIdRatioBased(ratio)
    _export.exporter = exporter


def send_to(processor: SpanProcessor | None, *, resource: Resource | None = None) -> None:
    """Hand finished spans to this processor too from now on, under the name that the resource gives."""
    global _tracer
    _export.processor = processor
    if resource is not None:
        _tracer = _provider_of(resource).get_tracer("lumbar")


def current_traceparent(*, sampled_only: bool = True) -> str | None:
    """Tell the `traceparent` that continues the current trace; None outside of one and where not sampled.

    With `sampled_only` off it also says of a trace that it is not sampled, so that nobody later samples it.
    """
    context = trace.get_current_span().get_span_context()
    if not context.is_valid or (sampled_only and not context.trace_flags.sampled):
        return None
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{int(context.trace_flags):02x}"


@contextmanager
def server_span(traceparent: str | None) -> Iterator[Span]:
    """Open the one span of a request; whoever knows the route's template names it."""
    with _tracer.start_as_current_span(
        "request",
        context=_parent(traceparent),
        kind=SpanKind.SERVER,
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        yield span


def is_sampled(traceparent: str | None) -> bool:
    """Tell whether a `traceparent` says that its trace is sampled, by the last bit of its flags."""
    return traceparent is not None and traceparent[-1:] in _ODD


@contextmanager
def handler_span(
    name: str, *, traceparent: str | None, attributes: Mapping[str, str] | None = None
) -> Iterator[None]:
    """Continue the trace of an event in its handler; costs nothing where the trace is not sampled.

    `name` is an event type or a kind of timer, the attributes are ids and types.
    """
    parent = _parent(traceparent)
    if not trace.get_current_span(parent).get_span_context().trace_flags.sampled:
        yield
        return
    with _tracer.start_as_current_span(
        name,
        context=parent,
        kind=SpanKind.CONSUMER,
        attributes=dict(attributes or {}),
        record_exception=False,
        set_status_on_exception=False,
    ):
        yield


def _parent(traceparent: str | None) -> Context:
    matched = _TRACEPARENT.match(traceparent) if traceparent else None
    if matched is None:
        return Context()
    context = SpanContext(
        trace_id=int(matched["trace"], 16),
        span_id=int(matched["span"], 16),
        is_remote=True,
        trace_flags=TraceFlags(int(matched["flags"], 16)),
    )
    return trace.set_span_in_context(NonRecordingSpan(context), Context())
