"""Provenance of a decision: who decided what about which referral, by which rules, from which elements."""

from typing import Any

from services.referral.fhir import wording
from services.referral.models.facts import Verdict
from services.referral.models.rows import Referral
from shared.context import Context
from shared.fhir.codes import TRIAGE_RULE_SYSTEM
from shared.fhir.instants import instant


def decision_provenance(ctx: Context, referral: Referral, *, verdict: Verdict) -> dict[str, Any]:
    """Render the Provenance of a verdict by the rules or by a person."""
    findings = verdict.findings
    words = wording.told(verdict.reasons, site=referral.site, clinic=ctx.clinic)
    about = f"ServiceRequest/{referral.id}"
    return {
        "resourceType": "Provenance",
        "target": [{"reference": about}],
        "recorded": instant(ctx.at),
        "activity": {
            "coding": [{"system": TRIAGE_RULE_SYSTEM, "code": finding.rule} for finding in findings],
            "text": f"{verdict.outcome}: {words}",
        },
        "agent": [{"who": {"reference": ctx.actor.reference}}],
        "entity": [
            {"role": "source", "what": {"reference": about, "display": element}}
            for finding in findings
            for element in finding.elements
        ],
    }
