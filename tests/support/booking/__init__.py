"""What tests of scheduling need: a small clinic, what `referral` tells of referrals, and a booking desk."""

from tests.support.booking.desk import COORDINATOR, Desk
from tests.support.booking.heard import accepted
from tests.support.booking.place import MONDAY, TORONTO, a_clinic, a_person, local

__all__ = ["COORDINATOR", "MONDAY", "TORONTO", "Desk", "a_clinic", "a_person", "accepted", "local"]
