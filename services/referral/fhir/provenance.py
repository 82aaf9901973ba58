"""Provenance of a decision: who decided what about which referral, by which rules, from which elements."""

from collections.abc import Sequence
from typing import Any

from services.referral.fhir import wording
from services.referral.models.facts import Verdict
from services.referral.models.rows import Patient, Referral
from shared.context import Context
from shared.fhir.codes import TRIAGE_RULE_SYSTEM
from shared.fhir.elements import coded, directory_reference
from shared.fhir.instants import instant
from shared.reasons import Reason

_LIFECYCLE = "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle"
_PARTICIPANT = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
_DATA_OPERATION = "http://terminology.hl7.org/CodeSystem/v3-DataOperation"


def correction_provenance(ctx: Context, referral: Referral, *, changed: Sequence[str]) -> dict[str, Any]:
    """Render the Provenance of a correction by the sender: the version that it made, and what differs."""
    about = f"ServiceRequest/{referral.id}"
    words = wording.told(
        [Reason.of("corrected", changed=list(changed))], site=referral.site, clinic=ctx.clinic
    )
    return {
        "resourceType": "Provenance",
        "target": [{"reference": f"{about}/_history/{referral.version}"}],
        "recorded": instant(ctx.at),
        "activity": {
            "coding": [{"system": _DATA_OPERATION, "code": "UPDATE"}],
            "text": words,
        },
        "agent": [{"who": directory_reference(ctx.clinic, ctx.actor.reference)}],
        "entity": [{"role": "revision", "what": {"reference": f"{about}/_history/{referral.version - 1}"}}],
    }


def entry_provenance(ctx: Context, referral: Referral) -> dict[str, Any]:
    """Render the Provenance of a referral that a coordinator entered: who wrote it down, and whose it is."""
    words = [Reason.of("entered-by-clinic", way=referral.came_by, sent_at=referral.sent_at)]
    author = f"Organization/{referral.requester}"
    if referral.self_referred:
        author = f"Patient/{referral.patient_id}"
    return {
        "resourceType": "Provenance",
        "target": [{"reference": f"ServiceRequest/{referral.id}/_history/1"}],
        "occurredDateTime": instant(referral.sent_at),
        "recorded": instant(ctx.at),
        "activity": {
            "coding": [{"system": _DATA_OPERATION, "code": "CREATE"}],
            "text": wording.told(words, site=referral.site, clinic=ctx.clinic),
        },
        "agent": [
            {
                "type": coded(_PARTICIPANT, "enterer"),
                "who": directory_reference(ctx.clinic, ctx.actor.reference),
            },
            {"type": coded(_PARTICIPANT, "author"), "who": directory_reference(ctx.clinic, author)},
        ],
    }


def priority_provenance(ctx: Context, referral: Referral, *, reasons: Sequence[Reason]) -> dict[str, Any]:
    """Render the Provenance of a priority that a person gave."""
    return {
        "resourceType": "Provenance",
        "target": [{"reference": f"ServiceRequest/{referral.id}"}],
        "recorded": instant(ctx.at),
        "activity": {
            "coding": [{"system": _DATA_OPERATION, "code": "UPDATE"}],
            "text": wording.told(reasons, site=referral.site, clinic=ctx.clinic),
        },
        "agent": [{"who": directory_reference(ctx.clinic, ctx.actor.reference)}],
    }


def patient_provenance(ctx: Context, patient: Patient, *, members: Sequence[str]) -> dict[str, Any]:
    """Render the Provenance of what became known of a patient: both versions, and which members differ."""
    about = f"Patient/{patient.id}/_history"
    return {
        "resourceType": "Provenance",
        "target": [{"reference": f"{about}/{patient.version}"}],
        "recorded": instant(ctx.at),
        "activity": {
            "coding": [{"system": _DATA_OPERATION, "code": "UPDATE"}],
            "text": ", ".join(f"Patient.{member}" for member in members),
        },
        "agent": [{"who": directory_reference(ctx.clinic, ctx.actor.reference)}],
        "entity": [{"role": "revision", "what": {"reference": f"{about}/{patient.version - 1}"}}],
    }


def link_provenance(ctx: Context, patients: Sequence[Patient], *, activity: str, why: str) -> dict[str, Any]:
    """Render the Provenance of two records that were linked as one person's (`merge`) or unlinked."""
    return {
        "resourceType": "Provenance",
        "target": [{"reference": f"Patient/{patient.id}/_history/{patient.version}"} for patient in patients],
        "recorded": instant(ctx.at),
        "activity": {"coding": [{"system": _LIFECYCLE, "code": activity}], "text": why},
        "agent": [{"who": directory_reference(ctx.clinic, ctx.actor.reference)}],
    }


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
        "agent": [{"who": directory_reference(ctx.clinic, ctx.actor.reference)}],
        "entity": [
            {"role": "source", "what": {"reference": about, "display": element}}
            for finding in findings
            for element in finding.elements
        ],
    }
