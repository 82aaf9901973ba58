"""What is pushed to a collector: a trace from the POST to the last notification, and no name."""

import json
import threading
from typing import Any

from deploy.demo.bundles import example
from deploy.telemetry import observed
from shared.clock import monotonic
from shared.telemetry.registry import REGISTRY
from shared.telemetry.tracing import server_span, start_tracing
from tests.support.clinic import TestClinic
from tests.support.collector import Collector, open_collector
from tests.support.eventually import eventually
from tests.support.mailbox import open_mailbox
from tests.support.redaction import watching

NAME = "Featherstonehaugh"
FHIR = {"content-type": "application/fhir+json"}
OFTEN = 0.2


def _planted(clinic: TestClinic) -> dict[str, Any]:
    bundle: dict[str, Any] = json.loads(example("01-rapid-access-routine.json", at=clinic.clock.now()))
    for entry in bundle["entry"]:
        resource = entry["resource"]
        if resource["resourceType"] == "Patient":
            resource["name"] = [{"family": NAME, "given": [NAME]}]
        if resource["resourceType"] == "ServiceRequest":
            resource["code"]["text"] = f"Back pain of {NAME}"
    return bundle


async def _play(collector: Collector) -> None:
    start_tracing(ratio=1.0)
    async with (
        open_mailbox() as mailbox,
        TestClinic(smtp_url=mailbox.url) as clinic,
        observed(collector.url, service="embedded", every=OFTEN),
    ):
        headers = FHIR | {"x-request-id": NAME, "baggage": f"name={NAME}", "tracestate": f"a={NAME}"}
        sender = clinic.as_("family-practice")
        answer = await sender.post("/referral/fhir", json=_planted(clinic), headers=headers)
        assert answer.status_code == 200, answer.text
        await sender.get("/referral/fhir/Patient", params={"family": NAME})
        await clinic.settle()
    start_tracing(ratio=0.0)


async def test_one_trace_and_nothing_else_arrives_without_a_name() -> None:
    with open_collector() as collector:
        await _play(collector)

    spans = {span.span_id: span for span in collector.spans()}
    door = next(span for span in spans.values() if span.name == "referral POST /fhir")
    trace = [span for span in spans.values() if span.trace_id == door.trace_id]
    names = {span.name for span in trace}
    assert {"scheduling handles referral.accepted", "notification.ended"} <= names
    assert all(span is door or span.parent_span_id in spans for span in trace)
    assert collector.paths == {"/v1/traces"}
    named = {(one["service.name"], bool(one["service.instance.id"])) for one in collector.senders()}
    assert named == {("lumbar-embedded", True)}
    assert all(one["service.version"] for one in collector.senders())
    assert collector.raw
    assert not [body for body in collector.raw if NAME.lower().encode() in body.lower()]


async def test_a_collector_that_refuses_or_is_away_costs_a_line_and_nothing_else() -> None:
    with watching() as told:
        with open_collector() as collector:
            collector.status = 400
            async with observed(collector.url, service="embedded", every=OFTEN):
                await eventually(lambda: _spans_told() and collector.asked >= 3, within=30)
        started = monotonic()
        async with observed(collector.url, service="embedded", every=OFTEN):
            await eventually(lambda: _spans_told() and _failed() >= 4, within=30)
        assert monotonic() - started < 30
    lines = [line for line in told.log if line["event"] == "telemetry.export-failed"]
    assert len(lines) in (1, 2), "one for each start or minute, however often it fails"
    assert lines[0]["runbook"] == "TelemetryNotExported"
    assert not [line for line in told.log if line["event"] == "library.message"]
    await eventually(lambda: not _threads(), within=30)


def _spans_told() -> bool:
    """Finish a span, so that there is something to send."""
    with server_span(None):
        return True


def _failed() -> float:
    failures = {"signal": "traces", "outcome": "failed"}
    return REGISTRY.get_sample_value("lumbar_telemetry_exports_total", failures) or 0.0


def _threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("Otel")]
