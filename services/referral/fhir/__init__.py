"""FHIR is the language of the border: resources to our words, and back."""

from services.referral.fhir.answers import created, dry_run, message_response, transaction_response
from services.referral.fhir.authorization import (
    claim_resource,
    grant_parameters,
    inquiry_return,
    items_of,
)
from services.referral.fhir.claim_response import Answered, read_response
from services.referral.fhir.facts import consent_ends, read_facts
from services.referral.fhir.inquiry import Inquiry, read_inquiry
from services.referral.fhir.people import Resource, member_ids, names, payer_of
from services.referral.fhir.pieces import read_pieces, resources_in
from services.referral.fhir.provenance import decision_provenance
from services.referral.fhir.questionnaire import questionnaire
from services.referral.fhir.reading import moment_of, tokens
from services.referral.fhir.report import report
from services.referral.fhir.submission import (
    ACCEPTED_TYPES,
    ADD,
    REVOKE,
    NotAReferral,
    event_code,
    message_id,
    read_submission,
)
from services.referral.fhir.task import process_task, suspected_output, work_task
from services.referral.fhir.wording import stated

__all__ = [
    "ACCEPTED_TYPES",
    "ADD",
    "REVOKE",
    "Answered",
    "Inquiry",
    "NotAReferral",
    "Resource",
    "claim_resource",
    "consent_ends",
    "created",
    "decision_provenance",
    "dry_run",
    "event_code",
    "grant_parameters",
    "inquiry_return",
    "items_of",
    "member_ids",
    "message_id",
    "message_response",
    "moment_of",
    "names",
    "payer_of",
    "process_task",
    "questionnaire",
    "read_facts",
    "read_inquiry",
    "read_pieces",
    "read_response",
    "read_submission",
    "report",
    "resources_in",
    "stated",
    "suspected_output",
    "tokens",
    "transaction_response",
    "work_task",
]
