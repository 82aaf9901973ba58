"""What tests of scheduling need: a small clinic, what `referral` tells of referrals, and a booking desk."""

from tests.support.booking.desk import COORDINATOR, Desk, a_slot
from tests.support.booking.heard import accepted, priority_changed
from tests.support.booking.place import BY_PRIORITY, MONDAY, REVIEW, TORONTO, a_clinic, a_person, local

__all__ = [
    "BY_PRIORITY",
    "COORDINATOR",
    "MONDAY",
    "REVIEW",
    "TORONTO",
    "Desk",
    "a_clinic",
    "a_person",
    "a_slot",
    "accepted",
    "local",
    "priority_changed",
]
