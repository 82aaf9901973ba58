"""Who decides what the rules call urgent: the programme's lead discipline, and later any physician.

Source: domain table of red flags, level URGENT: a clinician reviews it the same day, it is not simply queued.
The hours are the clinic's own choice (`urgent_triage` in clinic.yaml).
"""

from services.referral.models.rows import Referral
from services.referral.states import State
from shared.clinic import Clinic
from shared.clinic.model import PHYSICIANS
from shared.context import Context
from shared.reasons import Reason


def reviewers(referral: Referral, *, clinic: Clinic) -> list[str]:
    """Name the clinicians of the lead discipline at the referral's site, else its physicians."""
    if referral.programme is not None:
        lead = clinic.programme(referral.programme).lead_discipline
        if found := clinic.clinicians(referral.site, (lead,)):
            return found
    return physicians(referral, clinic=clinic)


def physicians(referral: Referral, *, clinic: Clinic) -> list[str]:
    """Name every physician of the referral's site."""
    return clinic.clinicians(referral.site, PHYSICIANS)


def waits_for_a_clinician(referral: Referral) -> bool:
    """Tell whether an urgent referral waits for its review."""
    return bool(referral.reviewers) and referral.state == State.AWAITING_REVIEW


def not_theirs(
    ctx: Context, referral: Referral, *, accepting: bool = False, asking: bool = False
) -> Reason | None:
    """Say why a decision about a referral is somebody else's.

    A clinician decides what is urgent, and nothing else; a coordinator may ask the referrer, and neither
    accepts it, declined or not, nor ends it while it waits for the clinician.
    """
    if ctx.caller.party == "clinician":
        mine = ctx.caller.practitioner in referral.reviewers
        return None if mine else Reason.of("coordinator-decides")
    waits = referral.reviewers if accepting else waits_for_a_clinician(referral) and not asking
    return Reason.of("clinician-decides", who=referral.reviewers) if waits else None
