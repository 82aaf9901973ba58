"""What the labels of this process's figures may say: words of closed tables, and few of them.

Figures add up in a process: `forget_figures` first, or what other tests have planted is found too.
"""

import re
import sys
from collections import defaultdict
from collections.abc import Iterable

from prometheus_client import generate_latest
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.parser import text_string_to_metric_families

from deploy.services import SERVICES
from services.notifications import texts
from services.notifications.states import Channel, Outcome
from shared.auth.people.models import SignInMethod
from shared.events.catalog import CATALOG
from shared.events.topics import TOPICS
from shared.events.worker import Worker
from shared.telemetry.registry import REGISTRY

MOST_SERIES = 8000
_ISSUE_TYPES = (
    "invalid structure required value invariant security login unknown expired forbidden suppressed"
    " processing not-supported duplicate multiple-matches not-found deleted too-long code-invalid"
    " extension too-costly business-rule conflict transient lock-error no-store exception timeout"
    " incomplete throttled informational"
)
_ROUTE = re.compile(r"^(unknown|referral|scheduling|careteam|notifications|issuer|/[a-zA-Z$/{}:._-]*)$")
_METHODS = "GET HEAD POST PUT DELETE PATCH OPTIONS other"
_FOUND = (
    "visit-not-recorded no-plan-active nothing-heard-of-booking programme-is-over nobody-owns"
    " question-unanswered"
)
_OUTCOMES = "limited done repeated ignored unknown held early failed fired sent accepted refused"
_TABLES: dict[str, frozenset[str]] = {
    "service": frozenset((*SERVICES, "identity", "gateway")),
    "topic": frozenset(TOPICS),
    "event_type": frozenset((*CATALOG, "other", "feed")),
    "outcome": frozenset((*_OUTCOMES.split(), *(str(outcome) for outcome in Outcome))),
    "state": frozenset(("retrying", "dead")),
    "loop": frozenset(
        (
            "relay",
            "timers",
            "consumer",
            "held",
            "retention",
            "progress",
            "roster",
            "notifications.sending.email",
            "notifications.sending.sms",
        )
    ),
    "channel": frozenset(str(channel) for channel in Channel),
    "reason": frozenset(("taken", *(code.replace("-", "_") for code in texts.REASONS))),
    "code": frozenset(_ISSUE_TYPES.split()),
    "sign_in_method": frozenset(str(method) for method in SignInMethod),
    "signal": frozenset(("traces", "metrics")),
    "found": frozenset(_FOUND.split()),
    "change": frozenset(("uploaded", "removed")),
    "part": frozenset((*SERVICES, "issuer")),
    "failure": frozenset(("unanswered", "not-reached")),
    "http_request_method": frozenset(_METHODS.split()),
    "http_response_status_code": frozenset(str(code) for code in range(100, 600)),
    "db_client_connection_pool_name": frozenset((*SERVICES, "identity")),
    "db_client_connection_state": frozenset(("idle", "used")),
    "cpu_mode": frozenset(("user", "system")),
    "cpython_gc_generation": frozenset(("0", "1", "2")),
}


def forget_figures() -> None:
    """Let this process have told nothing yet: what tests before this one have made of figures is gone."""
    for module in list(sys.modules.values()):
        for figure in list(vars(module).values()):
            if isinstance(figure, MetricWrapperBase):
                figure.clear()


def check_labels(workers: Iterable[Worker]) -> dict[str, set[str]]:
    """Fail where a label says what stands in no table, or where series are too many; give the labels."""
    found, series = _values(generate_latest(REGISTRY).decode())
    tables = _TABLES | {"kind": frozenset(kind for worker in workers for kind in worker.timer_kinds)}
    astray = {
        name: sorted(values - tables.get(name, frozenset()))
        for name, values in found.items()
        if name not in ("http_route", "le") and values - tables.get(name, frozenset())
    }
    assert not astray, f"labels outside their tables: {astray}"
    routes = sorted(route for route in found["http_route"] if not _ROUTE.match(route))
    assert not routes, f"routes that are no templates: {routes}"
    assert series < MOST_SERIES, f"{series} series are too many"
    return found


def _values(told: str) -> tuple[dict[str, set[str]], int]:
    found: dict[str, set[str]] = defaultdict(set)
    series = 0
    for family in text_string_to_metric_families(told):
        for sample in family.samples:
            series += 1
            for name, value in sample.labels.items():
                found[name].add(value)
    return found, series
