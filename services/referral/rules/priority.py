"""How soon a patient must be seen: the higher of what the sender asks and what the rules find.

FHIR's request priorities in their order, the highest first: stat, asap, urgent, routine.
"""

from services.referral.models.facts import Verdict
from services.referral.models.rows import Referral
from shared.fhir.codes import RequestPriority

PRIORITIES = tuple(priority.value for priority in RequestPriority)
ROUTINE = RequestPriority.ROUTINE.value
_OF_RULES = {True: RequestPriority.ASAP.value, False: ROUTINE}


def of(referral: Referral, *, asked: str | None, verdict: Verdict) -> str:
    """Give the priority of a referral; what a person gave is only raised."""
    found = higher(asked or ROUTINE, _OF_RULES[verdict.urgent])
    return higher(referral.priority, found) if referral.priority_by_person else found


def higher(priority: str, other: str) -> str:
    """Give the higher of two priorities; what is no priority is routine."""
    known = [code if code in PRIORITIES else ROUTINE for code in (priority, other)]
    return min(known, key=PRIORITIES.index)
