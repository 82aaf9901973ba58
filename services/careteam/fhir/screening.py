"""STarT Back: the answered tool in, the Observation of its total, subscore, risk and proposal out."""

from collections.abc import Mapping
from typing import Any

from services.careteam.fhir.elements import OUTCOME_SYSTEM, Resource
from services.careteam.fhir.outcomes import check_answers
from services.careteam.fhir.request_parsing import Findings
from services.careteam.models.rows import Outcome
from shared.clinic import Programme
from shared.context import Context
from shared.fhir import start_back
from shared.fhir.codes import LOINC, PROGRAMME_SYSTEM
from shared.fhir.elements import coded, reference, referral_reference
from shared.fhir.instants import to_the_second

_CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
_ITEM = "QuestionnaireResponse.item"


def answers(data: Mapping[str, Any], *, findings: Findings) -> dict[str, str]:
    """Read the answered items; notes what is none, and what is answered by no code of the item."""
    check_answers(data, findings=findings)
    found = start_back.answers_in(data)
    known = start_back.links()
    for index, item in enumerate(data.get("item", [])):
        if item.get("linkId") not in known and not item.get("item"):
            findings.add(
                "this is no item of the tool; a score is never taken as posted",
                expression=f"{_ITEM}[{index}].linkId",
                code="business-rule",
            )
    return found


def observation(outcome: Outcome, scored: start_back.StartBack, *, proposed: Programme | None) -> Resource:
    """Render the total as the value, the distress subscore, the risk and the proposal as components."""
    risk = start_back.RISK_ANSWERS[scored.risk]
    components: list[Resource] = [
        {"code": _loinc(start_back.SUBSCORE, "Distress subscore"), "valueInteger": scored.distress},
        {
            "code": _loinc(start_back.RISK, "Risk"),
            "valueCodeableConcept": _loinc(risk, scored.risk) | {"text": f"{scored.risk} risk"},
        },
        {"code": coded(OUTCOME_SYSTEM, "rule"), "valueString": f"start-back-{scored.risk}"},
    ]
    if proposed is not None:
        programme = {"coding": [{"system": PROGRAMME_SYSTEM, "code": proposed.id, "display": proposed.name}]}
        components.append(
            {"code": coded(OUTCOME_SYSTEM, "proposed-programme"), "valueCodeableConcept": programme}
        )
    return {
        "resourceType": "Observation",
        "status": outcome.status,
        "category": [coded(_CATEGORY, "survey")],
        "code": _loinc(start_back.TOTAL, "STarT Back total score"),
        "valueInteger": scored.total,
        "component": components,
        "derivedFrom": [reference("QuestionnaireResponse", outcome.answers_id)],
    }


def overlay(ctx: Context, outcome: Outcome, *, performer: str) -> Resource:
    """The members of the Observation that every outcome has."""
    return {
        "basedOn": [referral_reference(ctx, "ServiceRequest", outcome.referral_id)],
        "subject": referral_reference(ctx, "Patient", outcome.patient_id),
        "effectiveDateTime": to_the_second(outcome.effective_at),
        "performer": [reference("Practitioner", performer)],
    }


def _loinc(code: str, text: str) -> Resource:
    return {"coding": [{"system": LOINC, "code": code}], "text": text}
