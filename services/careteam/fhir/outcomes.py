"""Outcomes: Observation and QuestionnaireResponse in, scored Observation out."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from services.careteam import texts
from services.careteam.fhir.elements import OUTCOME_SYSTEM, Resource, codes, number, practitioner
from services.careteam.fhir.questionnaire import OSWESTRY_URL, START_BACK_URL
from services.careteam.fhir.request_parsing import Findings
from services.careteam.models.instruments import (
    NPRS,
    OSWESTRY_SECTIONS,
    Band,
    Instrument,
    ScoreChange,
    Trend,
)
from services.careteam.models.rows import Answers, Outcome
from shared.context import Context
from shared.fhir.codes import LOINC, UCUM
from shared.fhir.elements import coded, reference, referral_reference
from shared.fhir.instants import read_instant, to_the_second

_INTERPRETATION = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
_CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
_OTHER_TIMES = ("effectivePeriod", "effectiveInstant", "effectiveTiming")
_NEVER_TAKEN = ("component", "interpretation", "derivedFrom", "hasMember", "referenceRange")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """A score and what it means: beside the baseline (None for the baseline itself), and its band if any."""

    instrument: Instrument
    score: Decimal
    progress: ScoreChange | None
    band: Band | None = None


def check_rating(data: Mapping[str, Any], *, findings: Findings) -> None:
    """Note what keeps an Observation from being an answer to the pain rating."""
    if NPRS.loinc not in codes(data.get("code"), system=LOINC):
        findings.add(
            f"only the 0-10 pain rating (LOINC {NPRS.loinc}) is taken as an Observation; "
            "what is scored from several items comes as a QuestionnaireResponse",
            expression="Observation.code",
            code="not-supported",
        )
    if data.get("status") != "final":
        findings.add("only a final answer is recorded", expression="Observation.status")
    for member in _OTHER_TIMES:
        if member in data:
            findings.add(
                "when it was measured is said as effectiveDateTime",
                expression=f"Observation.{member}",
                code="not-supported",
            )
    for member in _NEVER_TAKEN:
        if member in data:
            findings.add(
                f"{member} is made here from the answer and never taken as posted",
                expression=f"Observation.{member}",
                code="business-rule",
            )


def rating_overlay(data: Mapping[str, Any]) -> Resource:
    """Name the pain rating in words where the sender's code does not."""
    code = data["code"]
    named = "text" in code or any("display" in coding for coding in code.get("coding", []))
    return {} if named else {"code": code | {"text": NPRS.name}}


def questionnaire_of(data: Mapping[str, Any]) -> str:
    """Read the canonical address of what was answered, without its version."""
    return str(data.get("questionnaire", "")).split("|")[0]


def check_answers(data: Mapping[str, Any], *, findings: Findings) -> None:
    """Note answers to what is not scored here, and answers that are not completed."""
    if questionnaire_of(data) not in (OSWESTRY_URL, START_BACK_URL):
        findings.add(
            f"the questionnaires scored here are {OSWESTRY_URL} and {START_BACK_URL}",
            expression="QuestionnaireResponse.questionnaire",
            code="not-supported",
        )
    if data.get("status") != "completed":
        findings.add("only completed answers are scored", expression="QuestionnaireResponse.status")


def oswestry_answers(data: Mapping[str, Any], *, findings: Findings) -> dict[str, int]:
    """Read the answered sections; notes an item that is none, such as a score that was posted."""
    check_answers(data, findings=findings)
    answers: dict[str, int] = {}
    for index, item in enumerate(data.get("item", [])):
        _read_section(
            item, answers=answers, expression=f"QuestionnaireResponse.item[{index}]", findings=findings
        )
    return answers


def measured_at(data: Mapping[str, Any], *, member: str, now: datetime, findings: Findings) -> datetime:
    """Read when something was measured; now where it does not say, never later than now."""
    text = data.get(member)
    if text is None:
        return now
    expression = f"{data['resourceType']}.{member}"
    moment = read_instant(text)
    if moment is None:
        findings.add("the time of the measurement needs its zone", expression=expression)
        return now
    if moment > now:
        findings.add("what was measured cannot lie in the future", expression=expression)
    return moment


def observation_overlay(ctx: Context, outcome: Outcome, scored: Scored, *, performer: str) -> Resource:
    """The members of a scored Observation that are ours."""
    laid: Resource = {
        "basedOn": [referral_reference(ctx, "ServiceRequest", outcome.referral_id)],
        "subject": referral_reference(ctx, "Patient", outcome.patient_id),
        "effectiveDateTime": to_the_second(outcome.effective_at),
        "performer": [practitioner(ctx, performer)],
        "interpretation": _interpretation(scored) or None,
        "component": _components(scored),
    }
    return laid


def scored_observation(outcome: Outcome, scored: Scored) -> Resource:
    """Render the Observation of a score that was computed from a questionnaire's items."""
    return {
        "resourceType": "Observation",
        "status": outcome.status,
        "category": [coded(_CATEGORY, "survey")],
        "code": {
            "coding": [{"system": LOINC, "code": scored.instrument.loinc, "display": scored.instrument.name}]
        },
        "valueQuantity": _quantity(scored.score, unit=scored.instrument.unit),
        "derivedFrom": [reference("QuestionnaireResponse", outcome.answers_id)],
    }


def answers_overlay(ctx: Context, answers: Answers, *, author: str) -> Resource:
    """The members of a QuestionnaireResponse that are ours."""
    return {
        "basedOn": [referral_reference(ctx, "ServiceRequest", answers.referral_id)],
        "subject": referral_reference(ctx, "Patient", answers.patient_id),
        "authored": to_the_second(answers.authored_at),
        "author": practitioner(ctx, author),
    }


def intake_overlay(ctx: Context, answers: Answers) -> Resource:
    """The members of an intake form that are ours: the patient is its author."""
    patient = referral_reference(ctx, "Patient", answers.patient_id)
    return {
        "basedOn": [referral_reference(ctx, "ServiceRequest", answers.referral_id)],
        "subject": patient,
        "authored": to_the_second(answers.authored_at),
        "author": patient,
    }


def _read_section(
    item: Mapping[str, Any], *, answers: dict[str, int], expression: str, findings: Findings
) -> None:
    link_id, given = item.get("linkId", ""), item.get("answer", [])
    if link_id not in OSWESTRY_SECTIONS:
        findings.add(
            "this is no section of the questionnaire; a score is never taken as posted",
            expression=f"{expression}.linkId",
            code="business-rule",
        )
    elif link_id in answers:
        findings.add("this section is answered twice", expression=f"{expression}.linkId")
    elif len(given) == 1 and _is_whole(given[0].get("valueInteger")):
        answers[link_id] = given[0]["valueInteger"]
    elif given:
        findings.add("one whole number is needed here", expression=f"{expression}.answer")


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _interpretation(scored: Scored) -> list[Resource]:
    written = []
    if scored.band is not None:
        written.append(coded(OUTCOME_SYSTEM, scored.band))
    if scored.progress is not None and scored.progress.trend is Trend.IMPROVING:
        written.append(coded(_INTERPRETATION, "B", text=texts.BETTER))
    if scored.progress is not None and scored.progress.trend is Trend.WORSENING:
        written.append(coded(_INTERPRETATION, "W", text=texts.WORSE))
    return written


def _components(scored: Scored) -> list[Resource]:
    if scored.progress is None:
        return [_component("is-baseline", valueBoolean=True)]
    found, unit = scored.progress, scored.instrument.unit
    components = [
        _component("is-baseline", valueBoolean=False),
        _component("baseline", valueQuantity=_quantity(found.baseline, unit=unit)),
        _component("change", valueQuantity=_quantity(found.change, unit=unit)),
        _component("improvement", valueQuantity=_quantity(found.improvement, unit=unit)),
        _component("trend", valueCodeableConcept=coded(OUTCOME_SYSTEM, found.trend)),
        _component("important-change", valueBoolean=found.important),
        _component("importantly-worse", valueBoolean=found.importantly_worse),
        _component("responder", valueBoolean=found.responder),
    ]
    if found.percent is not None:
        percent = _component("percent-improvement", valueQuantity=_quantity(found.percent, unit="%"))
        components.append(percent)
    return components


def _component(code: str, **value: object) -> Resource:
    return {"code": coded(OUTCOME_SYSTEM, code), **value}


def _quantity(value: Decimal, *, unit: str) -> Resource:
    return {"value": number(value), "unit": unit, "system": UCUM, "code": unit}
