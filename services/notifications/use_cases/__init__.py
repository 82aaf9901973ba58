"""One function per verb: keep what must be known, tell of it, take what is due, record it, deliver."""

from services.notifications.use_cases.deliver import end_left_over, record_delivery, take_next
from services.notifications.use_cases.keep import (
    keep_authorization,
    keep_consent,
    keep_referral,
    keep_site,
    keep_team,
)
from services.notifications.use_cases.record import Result, record_attempt
from services.notifications.use_cases.take import Lease, Outgoing, take_due
from services.notifications.use_cases.tell import recall, tell

__all__ = [
    "Lease",
    "Outgoing",
    "Result",
    "end_left_over",
    "keep_authorization",
    "keep_consent",
    "keep_referral",
    "keep_site",
    "keep_team",
    "recall",
    "record_attempt",
    "record_delivery",
    "take_due",
    "take_next",
    "tell",
]
