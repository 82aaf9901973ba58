"""The life cycles of a referral, of its Tasks and of an authorization, as tables of allowed transitions."""

from enum import StrEnum


class State(StrEnum):
    """Where a referral stands; the value is the businessStatus code of its Task."""

    AWAITING_TRIAGE = "awaiting-triage"
    INFORMATION_REQUESTED = "information-requested"
    EMERGENCY_REDIRECTED = "emergency-redirected"
    EMERGENCY_ACKNOWLEDGED = "emergency-acknowledged"
    AWAITING_REVIEW = "awaiting-review"
    DECLINED = "declined"
    DUPLICATE_SUSPECTED = "duplicate-suspected"
    MERGED = "merged"
    ACCEPTED = "accepted"
    AWAITING_BOOKING = "awaiting-booking"
    WAITLISTED = "waitlisted"
    BOOKED = "booked"
    MISSED = "missed"
    APPOINTMENT_CANCELLED = "appointment-cancelled"
    ASSESSED = "assessed"
    IN_PROGRAMME = "in-programme"
    DISCHARGED = "discharged"
    REVOKED = "revoked"
    CLOSED = "closed"


class WaitingClock(StrEnum):
    """The clocks that run while a referral waits for somebody; the value is the kind of the timer."""

    ESCALATION = "emergency-escalation"
    URGENT_TRIAGE = "urgent-triage-overdue"
    WAITING = "referral-waits-too-long"


class Turn(StrEnum):
    """Who must act next."""

    REFERRER = "referrer"
    CLINIC = "clinic"
    PATIENT = "patient"
    NOBODY = "nobody"


_S = State
_ENDS = frozenset({_S.REVOKED, _S.CLOSED})
_TRIAGED = frozenset(
    {_S.INFORMATION_REQUESTED, _S.EMERGENCY_REDIRECTED, _S.AWAITING_REVIEW, _S.DECLINED}
    | {_S.DUPLICATE_SUSPECTED, _S.ACCEPTED}
)
_BOOKING = frozenset(
    {_S.AWAITING_BOOKING, _S.WAITLISTED, _S.BOOKED, _S.MISSED, _S.APPOINTMENT_CANCELLED, _S.ASSESSED}
)

ALLOWED: dict[State, frozenset[State]] = {
    **dict.fromkeys((_S.AWAITING_TRIAGE, _S.INFORMATION_REQUESTED), _TRIAGED | _ENDS),
    # A duplicate of another sender's waits for a person like all else that does.
    **dict.fromkeys((_S.AWAITING_REVIEW, _S.DUPLICATE_SUSPECTED), _TRIAGED | _ENDS | {_S.MERGED}),
    _S.EMERGENCY_REDIRECTED: frozenset({_S.EMERGENCY_ACKNOWLEDGED}),
    _S.EMERGENCY_ACKNOWLEDGED: frozenset({_S.AWAITING_REVIEW}),
    _S.DECLINED: frozenset({_S.AWAITING_REVIEW}),
    **dict.fromkeys((_S.ACCEPTED, *_BOOKING), _BOOKING | _ENDS),
    # A visit that was recorded by mistake leads back from the assessment.
    _S.ASSESSED: frozenset({_S.IN_PROGRAMME, _S.BOOKED, _S.MISSED}) | _ENDS,
    _S.IN_PROGRAMME: frozenset({_S.DISCHARGED}) | _ENDS,
    # What was merged follows the first: it ends with it, or comes back to a person.
    _S.MERGED: frozenset({_S.AWAITING_REVIEW, _S.DISCHARGED}) | _ENDS,
    **dict.fromkeys((_S.DISCHARGED, *_ENDS), frozenset()),
}

# Nothing is added to these any more, and nothing more happens of itself.
TERMINAL = frozenset({_S.DISCHARGED, _S.MERGED}) | _ENDS
# What the clinic has said yes to and not yet brought to an end.
UNDER_CARE = frozenset({_S.ACCEPTED, _S.IN_PROGRAMME}) | _BOOKING
# A new referral for the same patient and programme may be the same one while the first is in these states.
OPEN = UNDER_CARE | {_S.AWAITING_TRIAGE, _S.INFORMATION_REQUESTED, _S.AWAITING_REVIEW}
# Before a verdict stands, new information is triaged again.
UNDECIDED = frozenset({_S.INFORMATION_REQUESTED, _S.AWAITING_REVIEW, _S.DUPLICATE_SUSPECTED})
# What waits for nobody, and is looked at again when the referrer answers.
REOPENED_BY_AN_ANSWER = frozenset({_S.DECLINED, _S.EMERGENCY_ACKNOWLEDGED})
# Where the first is in one of these, what was merged into it is nobody's.
TAKEN_AWAY = _ENDS | {_S.DECLINED, _S.EMERGENCY_REDIRECTED, _S.EMERGENCY_ACKNOWLEDGED}

# Task.status as FHIR has it, for each state of ours.
TASK_STATUS: dict[State, str] = {
    **dict.fromkeys((_S.AWAITING_TRIAGE, _S.AWAITING_REVIEW), "received"),
    **dict.fromkeys((_S.INFORMATION_REQUESTED, _S.DUPLICATE_SUSPECTED, _S.MERGED), "on-hold"),
    **dict.fromkeys((_S.EMERGENCY_REDIRECTED, _S.EMERGENCY_ACKNOWLEDGED, _S.DECLINED), "rejected"),
    _S.ACCEPTED: "accepted",
    **dict.fromkeys((*_BOOKING, _S.IN_PROGRAMME), "in-progress"),
    _S.DISCHARGED: "completed",
    **dict.fromkeys(_ENDS, "cancelled"),
}

# ServiceRequest.status where it is no longer `active`.
REQUEST_STATUS: dict[State, str] = {
    _S.DISCHARGED: "completed",
    _S.MERGED: "on-hold",
    **dict.fromkeys(_ENDS, "revoked"),
}

# What somebody still has to do.
OPEN_TASKS = ("requested", "received", "accepted", "in-progress", "on-hold")

# The Tasks that people work on; they may be done without being taken first.
TASK_ALLOWED: dict[str, frozenset[str]] = {
    "requested": frozenset({"received", "accepted", "in-progress", "rejected", "completed", "cancelled"}),
    "received": frozenset({"accepted", "rejected", "on-hold", "cancelled", "in-progress", "completed"}),
    "accepted": frozenset({"in-progress", "on-hold", "completed", "cancelled"}),
    "in-progress": frozenset({"on-hold", "completed", "failed", "cancelled"}),
    "on-hold": frozenset({"received", "accepted", "in-progress", "cancelled"}),
    "rejected": frozenset({"received"}),
    "completed": frozenset(),
    "failed": frozenset(),
    "cancelled": frozenset(),
}


class Authorization(StrEnum):
    """Where an authorization stands, derived from the items' review actions and never from the outcome."""

    REQUESTED = "requested"
    PENDED = "pended"
    APPROVED = "approved"
    PARTIALLY_APPROVED = "partially-approved"
    MODIFIED = "modified"
    DENIED = "denied"
    NOT_REQUIRED = "not-required"
    CANCELLED = "cancelled"


_A = Authorization
_DECIDED = frozenset(_A) - {_A.REQUESTED}
# A denied authorization is not updated: a new Claim is needed (docs/how/authorization.md).
AUTHORIZATION_ALLOWED: dict[Authorization, frozenset[Authorization]] = {
    **dict.fromkeys((_A.REQUESTED, *_DECIDED), _DECIDED),
    _A.DENIED: frozenset({_A.CANCELLED}),
    _A.CANCELLED: frozenset(),
}

# What an insurer's review action says of one item; there are no others.
STATUS_OF_ACTION: dict[str, Authorization] = {
    "A1": _A.APPROVED,
    "A2": _A.PARTIALLY_APPROVED,
    "A3": _A.DENIED,
    "A4": _A.PENDED,
    "A6": _A.MODIFIED,
    "C": _A.CANCELLED,
    "CT": _A.PENDED,
    "NA": _A.NOT_REQUIRED,
}
GRANTS = frozenset({_A.APPROVED, _A.PARTIALLY_APPROVED, _A.MODIFIED})


def may(now: State, following: State) -> bool:
    """Tell whether a referral may go from one state to the other."""
    return following in ALLOWED[now]
