"""What follows from the STarT Back tool: the risk is told, and the clinic's programme for it is proposed.

A proposal changes nothing by itself: the sender's wish and the payer decide the programme, a person may
accept for another one.
"""

from services.referral.models.facts import Facts, Finding
from services.referral.rules.paying import Payment
from shared.clinic import Clinic
from shared.reasons import Reason

_ELEMENT = "QuestionnaireResponse.item.where(linkId.startsWith('start-back')).answer"


def findings(facts: Facts, pays: Payment, *, clinic: Clinic) -> tuple[Finding, ...]:
    """Say the score, and the programme that the clinic proposes for the risk among those open to who pays."""
    scored = facts.start_back
    if scored is None:
        return ()
    said = Reason.of("start-back", total=scored.total, distress=scored.distress, risk=scored.risk)
    proposed = None
    if pays.stream is not None:
        proposed = clinic.proposed(scored.risk, stream=pays.stream, payer=pays.payer)
    reasons = [said]
    if proposed is not None:
        reasons.append(Reason.of("programme-proposed", programme=proposed.id))
    return (Finding(rule=f"start-back-{scored.risk}", reasons=tuple(reasons), elements=(_ELEMENT,)),)
