"""The figures' names: those that alerts and dashboards have asked for since there are any."""

import pytest

from services.notifications.use_cases import end, record
from shared.events import counters
from shared.http import anonymous_calls, check_metrics
from shared.ids import made_at, new_text_id
from shared.telemetry import metrics, otlp, process
from shared.telemetry.registry import REGISTRY

DECLARING = (anonymous_calls, counters, check_metrics, metrics, otlp, process, end, record)
NAMES = """
cpython_gc_collections counter
db_client_connection_count gauge
db_client_connection_max gauge
http_server_request_duration_seconds histogram
lumbar_consumer_in_hand_age_seconds gauge
lumbar_consumer_lag gauge
lumbar_database_reachable gauge
lumbar_event_effect_duration_seconds histogram
lumbar_event_loop_lag_seconds histogram
lumbar_events_handled counter
lumbar_fhir_check_duration_seconds histogram
lumbar_fhir_check_problems counter
lumbar_held_keys gauge
lumbar_held_oldest_age_seconds gauge
lumbar_held_retries counter
lumbar_notifications_attempts counter
lumbar_notifications_ended counter
lumbar_outbox_oldest_age_seconds gauge
lumbar_outbox_rows gauge
lumbar_relay_leading gauge
lumbar_telemetry_exports counter
lumbar_timer_lateness_seconds histogram
lumbar_timers_due gauge
lumbar_timers_fired counter
lumbar_timers_oldest_lateness_seconds gauge
lumbar_unauthenticated_requests counter
lumbar_worker_loop_failing gauge
lumbar_worker_readable gauge
lumbar_worker_steps_failed counter
messaging_client_sent_messages counter
messaging_process_duration_seconds histogram
process_cpu_time_seconds counter
process_memory_usage_bytes gauge
process_thread_count gauge
process_unix_file_descriptor_count gauge
process_uptime_seconds gauge
"""


def test_no_figure_was_renamed_or_changed_its_kind() -> None:
    wanted = {tuple(line.split()[:2]) for line in NAMES.strip().splitlines()}
    declared = {(family.name, family.type) for family in REGISTRY.collect()}
    assert all(module.REGISTRY is REGISTRY for module in DECLARING)
    assert wanted - declared == set()


class TestAnId:
    def test_tells_when_it_was_made(self) -> None:
        first, later = made_at(new_text_id()), made_at(new_text_id())
        assert first is not None
        assert later is not None
        assert first <= later
        assert first > 1_700_000_000

    @pytest.mark.parametrize(
        "other",
        ["", "7", "e-1", "lumbar.referral/0/7", "f47ac10b-58cc-4372-a567-0e02b2c3d479", "z" * 12 + "7" * 20],
    )
    def test_that_is_no_uuid7_tells_nothing(self, other: str) -> None:
        assert made_at(other) is None
