"""FHIR is the language of the border: resources to our words, and back."""

from services.referral.fhir import (
    answers,
    authorization,
    binary,
    claim_response,
    content,
    entries,
    facts,
    inquiry,
    messages,
    people,
    pieces,
    provenance,
    questionnaire,
    reading,
    report,
    revocation,
    submission,
    task,
    wish,
    wording,
)
