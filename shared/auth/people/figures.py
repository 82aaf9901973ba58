"""How many sign-ins there were, by how and with which outcome."""

from enum import StrEnum

from prometheus_client import Counter

from shared.auth.people.models import SignInMethod
from shared.telemetry.registry import REGISTRY


class SignInOutcome(StrEnum):
    """How a sign-in ended: let in, refused, or not looked at because there were too many."""

    DONE = "done"
    REFUSED = "refused"
    LIMITED = "limited"


_SIGN_INS = Counter(
    "lumbar_sign_ins",
    "Sign-ins of people, by how they prove who they are and whether they were let in",
    ["sign_in_method", "outcome"],
    registry=REGISTRY,
)


def count_sign_in(method: SignInMethod, outcome: SignInOutcome) -> None:
    """Count a sign-in."""
    _SIGN_INS.labels(method.value, outcome.value).inc()
