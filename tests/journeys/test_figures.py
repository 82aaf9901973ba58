"""The figures of a clinic: what an emergency leaves in them, and that a label outside the tables is seen."""

import pytest
from prometheus_client import Counter

from shared.telemetry.registry import REGISTRY
from tests.journeys.stage import play
from tests.support.clinic import TestClinic
from tests.support.labels import check_labels


async def test_an_emergency_is_to_be_seen_in_the_figures(clinic: TestClinic) -> None:
    await play(clinic, 2, days=3)
    answer = await clinic.anonymous().get("/metrics")
    assert answer.status_code == 200, answer.text
    wanted = 'event_type="referral.emergency-escalated",service="referral"'
    (sent,) = [line for line in answer.text.splitlines() if wanted in line and "_sent_messages_total" in line]
    assert float(sent.rpartition(" ")[2]) >= 2
    found = check_labels(clinic.workers.values())
    assert found["event_type"] > {"referral.received", "referral.redirected-to-emergency"}
    assert found["kind"]


def test_a_label_that_stands_in_no_table_is_seen() -> None:
    planted = Counter("lumbar_planted", "Planted", ["event_type"], registry=REGISTRY)
    try:
        planted.labels("of Featherstone").inc()
        with pytest.raises(AssertionError, match="of Featherstone"):
            check_labels([])
    finally:
        REGISTRY.unregister(planted)
