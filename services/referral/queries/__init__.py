"""Every SELECT of this service, and the row scopes."""

from services.referral.queries import scope
from services.referral.queries.directory import Placed, enter, in_directory
from services.referral.queries.identifiers import (
    claim_new_patient,
    claim_patient_identifiers,
    claim_sender_identifiers,
    claim_sending,
    lock_identifiers,
    sent_before,
)
from services.referral.queries.records import (
    enclosures_by_id,
    enclosures_of,
    lock_patient,
    open_referrals,
    patient_visible_to,
    patients_by_identifiers,
    referral_visible_to,
)
from services.referral.queries.work import (
    claim_visible_to,
    claims_of,
    claims_of_member,
    current_response,
    live_claims,
    open_task,
    open_work,
    process_task,
    task_visible_to,
)

__all__ = [
    "Placed",
    "claim_new_patient",
    "claim_patient_identifiers",
    "claim_sender_identifiers",
    "claim_sending",
    "claim_visible_to",
    "claims_of",
    "claims_of_member",
    "current_response",
    "enclosures_by_id",
    "enclosures_of",
    "enter",
    "in_directory",
    "live_claims",
    "lock_identifiers",
    "lock_patient",
    "open_referrals",
    "open_task",
    "open_work",
    "patient_visible_to",
    "patients_by_identifiers",
    "process_task",
    "referral_visible_to",
    "scope",
    "sent_before",
    "task_visible_to",
]
