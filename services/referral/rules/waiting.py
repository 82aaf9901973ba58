"""How long a referral may wait for somebody before the coordinator is told: no state that waits is forgotten.

An emergency and an urgent review have clocks of their own. From acceptance on the guarantee counts the days,
and the nightly look (`overdue.py`) finds what stands still all the same.
"""

from datetime import timedelta

from services.referral.models.rows import Referral
from services.referral.states import State
from shared.clinic import Clinic


def limit(referral: Referral, *, clinic: Clinic) -> timedelta | None:
    """Return how long a referral may stay where it is, None where nobody or another clock waits."""
    waiting = clinic.waiting
    if referral.state == State.INFORMATION_REQUESTED:
        return timedelta(days=waiting.information_days)
    if referral.state in (State.AWAITING_REVIEW, State.DUPLICATE_SUSPECTED) and not referral.reviewers:
        return timedelta(hours=waiting.review_hours)
    return None
