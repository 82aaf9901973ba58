"""Events that `referral` publishes: the closed loop with the referrer, and the insurer's authorization.

Every event about a referral carries the referral's Task (code `process-request`), whose `input` says
programme, stream, site, requester, times and due date (`shared.fhir.codes.TaskInput`). What an authorization
grants stands as Parameters beside the Claim, so that nobody else has to read review actions.
"""

from shared.events.catalog.types import EventType
from shared.events.topics import REFERRAL


def _referral(name: str, emitted: str, *more: str) -> EventType:
    return EventType(
        name=f"referral.{name}",
        topic=REFERRAL,
        focus="ServiceRequest",
        carries=("Task", *more),
        emitted=emitted,
    )


def _authorization(name: str, emitted: str, *more: str) -> EventType:
    return EventType(
        name=f"authorization.{name}",
        topic=REFERRAL,
        focus="Claim",
        carries=more,
        emitted=emitted,
    )


RECEIVED = _referral("received", "A referral that passed the border was stored.", "Patient")
TRIAGED = _referral("triaged", "The triage rules gave a verdict; the Task names the rule that fired.")
REVIEW_NEEDED = _referral("review-needed", "The rules leave the referral to a person.")
ACCEPTED = _referral("accepted", "The rules or a coordinator accepted the referral.", "Patient")
INFORMATION_REQUESTED = _referral(
    "information-requested", "Something needed is missing; the referrer's turn."
)
INFORMATION_PROVIDED = _referral("information-provided", "The referrer answered what was asked.")
DECLINED = _referral("declined", "The rules or a coordinator declined the referral, with the reason.")
REDIRECTED_TO_EMERGENCY = _referral(
    "redirected-to-emergency", "An emergency red flag: never queued, the referrer must acknowledge."
)
EMERGENCY_ACKNOWLEDGED = _referral("emergency-acknowledged", "The referrer acknowledged the redirection.")
EMERGENCY_ESCALATED = _referral(
    "emergency-escalated", "No acknowledgement in time: the coordinator telephones (second Task)."
)
DUPLICATE_SUSPECTED = _referral(
    "duplicate-suspected",
    "New ids for a patient with an open referral: the coordinator's Task offers the merge.",
)
MERGED = _referral(
    "merged", "A coordinator merged a duplicate into the first referral (Task.output names it)."
)
REVOKED = _referral("revoked", "The sender revoked the referral.")
CLOSED = _referral("closed", "A coordinator closed a referral that will not go on, with the reason.")
COMPLETED = _referral(
    "completed", "The patient was discharged and the report stands in Task.output.", "Composition"
)

AUTHORIZATION_REQUESTED = _authorization(
    "requested", "The Claim was put on the insurer's work list.", "Parameters"
)
AUTHORIZATION_PENDED = _authorization(
    "pended",
    "The insurer's newest ClaimResponse pends an item (review action A4).",
    "ClaimResponse",
    "Parameters",
)
AUTHORIZATION_DECIDED = _authorization(
    "decided", "The insurer's newest ClaimResponse decides every item.", "ClaimResponse", "Parameters"
)
AUTHORIZATION_CANCELLED = _authorization("cancelled", "The referral ended, and its Claim with it.")
AUTHORIZATION_CONSENT_WITHDRAWN = _authorization(
    "consent-withdrawn", "The patient's consent ended: the insurer may no longer see the Claim."
)
AUTHORIZATION_CONSENT_GIVEN = _authorization(
    "consent-given", "The patient consented again: the insurer may see the Claim."
)

EVENTS = (
    RECEIVED,
    TRIAGED,
    REVIEW_NEEDED,
    ACCEPTED,
    INFORMATION_REQUESTED,
    INFORMATION_PROVIDED,
    DECLINED,
    REDIRECTED_TO_EMERGENCY,
    EMERGENCY_ACKNOWLEDGED,
    EMERGENCY_ESCALATED,
    DUPLICATE_SUSPECTED,
    MERGED,
    REVOKED,
    CLOSED,
    COMPLETED,
    AUTHORIZATION_REQUESTED,
    AUTHORIZATION_PENDED,
    AUTHORIZATION_DECIDED,
    AUTHORIZATION_CANCELLED,
    AUTHORIZATION_CONSENT_WITHDRAWN,
    AUTHORIZATION_CONSENT_GIVEN,
)
