"""One function for each verb: load, decide, record."""

from services.referral.use_cases.consent import CONSENT_END, look_at_consent_again
from services.referral.use_cases.decide_referral import (
    accept_referral,
    decline_referral,
    request_information,
)
from services.referral.use_cases.dry_run import dry_run
from services.referral.use_cases.emergency import ESCALATION, acknowledge_emergency, escalate_emergency
from services.referral.use_cases.end_referral import close_referral, revoke_by_identifier, revoke_referral
from services.referral.use_cases.follow_care import (
    Known,
    complete_referral,
    follow,
    keep_team,
    load_for_events,
    note,
    note_sessions,
    open_referral,
)
from services.referral.use_cases.inquire import inquire
from services.referral.use_cases.merge_referral import merge_referral
from services.referral.use_cases.provide_information import provide_information
from services.referral.use_cases.receive_referral import (
    Receipt,
    already_sent,
    may_be_bold,
    receive_referral,
)
from services.referral.use_cases.record_decision import record_decision
from services.referral.use_cases.update_task import update_task

__all__ = [
    "CONSENT_END",
    "ESCALATION",
    "Known",
    "Receipt",
    "accept_referral",
    "acknowledge_emergency",
    "already_sent",
    "close_referral",
    "complete_referral",
    "decline_referral",
    "dry_run",
    "escalate_emergency",
    "follow",
    "inquire",
    "keep_team",
    "load_for_events",
    "look_at_consent_again",
    "may_be_bold",
    "merge_referral",
    "note",
    "note_sessions",
    "open_referral",
    "provide_information",
    "receive_referral",
    "record_decision",
    "request_information",
    "revoke_by_identifier",
    "revoke_referral",
    "update_task",
]
