"""Pure decisions of this service; time is an argument."""

from services.referral.rules import acts, work
from services.referral.rules.authorization import (
    WrongDecision,
    decided,
    needs_authorization,
    requested_items,
    whole_status,
)
from services.referral.rules.identity import same_person
from services.referral.rules.steps import (
    Refused,
    answer_for_a_person,
    check,
    comes_too_early,
    comes_too_late,
    following,
    is_known_emergency,
    no_step,
)
from services.referral.rules.triage import triage

__all__ = [
    "Refused",
    "WrongDecision",
    "acts",
    "answer_for_a_person",
    "check",
    "comes_too_early",
    "comes_too_late",
    "decided",
    "following",
    "is_known_emergency",
    "needs_authorization",
    "no_step",
    "requested_items",
    "same_person",
    "triage",
    "whole_status",
    "work",
]
