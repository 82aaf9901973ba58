"""Provenance of a decision: who decided what about which referral, by which rules, from which elements."""

from typing import Any

from services.referral.models import Finding, Referral
from shared.act import Act
from shared.fhir.codes import TRIAGE_RULE_SYSTEM
from shared.fhir.instants import instant


def decision_provenance(
    referral: Referral, *, findings: tuple[Finding, ...], text: str, act: Act
) -> dict[str, Any]:
    """Render the Provenance of a verdict by the rules or by a person."""
    about = f"ServiceRequest/{referral.id}"
    return {
        "resourceType": "Provenance",
        "target": [{"reference": about}],
        "recorded": instant(act.at),
        "activity": {
            "coding": [{"system": TRIAGE_RULE_SYSTEM, "code": finding.rule} for finding in findings],
            "text": text,
        },
        "agent": [{"who": _who(act)}],
        "entity": [
            {"role": "source", "what": {"reference": about, "display": element}}
            for finding in findings
            for element in finding.elements
        ],
    }


def _who(act: Act) -> dict[str, Any]:
    return {"reference": act.actor.reference}
