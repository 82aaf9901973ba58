"""Every SELECT of this service, the claims of what is due, and the row scope of its messages."""

from services.notifications.queries.known import (
    Asked,
    Known,
    Whose,
    authorization,
    consented,
    forget_members,
    known,
    referral,
    teams,
)
from services.notifications.queries.receivers import delivery_due, end_receiver, left_over, next_delivery
from services.notifications.queries.sending import attempts, claim_due, due, leased, next_due
from services.notifications.queries.visible import visible_to

__all__ = [
    "Asked",
    "Known",
    "Whose",
    "attempts",
    "authorization",
    "claim_due",
    "consented",
    "delivery_due",
    "due",
    "end_receiver",
    "forget_members",
    "known",
    "leased",
    "left_over",
    "next_delivery",
    "next_due",
    "referral",
    "teams",
    "visible_to",
]
