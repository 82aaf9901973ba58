"""One function per verb: keep what must be known, tell of an event, take what is due, record an attempt."""

from services.notifications.use_cases.keep import keep_authorization, keep_consent, keep_referral, keep_team
from services.notifications.use_cases.record import Result, record_attempt
from services.notifications.use_cases.take import Lease, Outgoing, take_due
from services.notifications.use_cases.tell import recall, tell

__all__ = [
    "Lease",
    "Outgoing",
    "Result",
    "keep_authorization",
    "keep_consent",
    "keep_referral",
    "keep_team",
    "recall",
    "record_attempt",
    "take_due",
    "tell",
]
