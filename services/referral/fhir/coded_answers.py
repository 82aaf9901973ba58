"""How one answer is read: yes, no and unknown in the codings that questionnaires use.

Invariant: only a code that is known here says no; every other one is not answered, never "no".
"""

from collections.abc import Mapping
from typing import Any

from services.referral.models.questions import CHOICES, NO, UNKNOWN, YES
from shared.fhir.codes import LUMBAR

ANSWER_SYSTEM = f"{LUMBAR}/CodeSystem/referral-answer"
YES_NO_SYSTEM = "http://terminology.hl7.org/CodeSystem/v2-0532"

_HL7 = "http://terminology.hl7.org/CodeSystem"
_NULL_FLAVOR = f"{_HL7}/v3-NullFlavor"
_ABSENT = f"{_HL7}/data-absent-reason"
_ABSENT_EXTENSION = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
# The addresses under which a code system was known before, or is known to others.
_SYSTEMS = {
    "http://hl7.org/fhir/v2/0136": f"{_HL7}/v2-0136",
    "http://hl7.org/fhir/v2/0532": YES_NO_SYSTEM,
    "http://hl7.org/fhir/v3/NullFlavor": _NULL_FLAVOR,
    "http://hl7.org/fhir/data-absent-reason": _ABSENT,
    "urn:oid:2.16.840.1.113883.12.136": f"{_HL7}/v2-0136",
    "urn:oid:2.16.840.1.113883.12.532": YES_NO_SYSTEM,
    "urn:oid:2.16.840.1.113883.5.1008": _NULL_FLAVOR,
    "urn:oid:2.16.840.1.113883.6.1": "http://loinc.org",
    "urn:oid:2.16.840.1.113883.6.96": "http://snomed.info/sct",
}
# Not "not asked": that is no answer, and it is asked for.
_UNKNOWN_FLAVORS = ("UNK", "ASKU", "NAV", "NAVU", "NI", "NA", "MSK")
_ABSENT_REASONS = (
    "unknown",
    "asked-unknown",
    "temp-unknown",
    "asked-declined",
    "masked",
    "not-applicable",
)
_MEANINGS: Mapping[str, Mapping[str, str]] = {
    YES_NO_SYSTEM: {"Y": YES, "N": NO, **dict.fromkeys(_UNKNOWN_FLAVORS, UNKNOWN)},
    f"{_HL7}/v2-0136": {"Y": YES, "N": NO},
    "http://snomed.info/sct": {"373066001": YES, "373067005": NO, "261665006": UNKNOWN},
    "http://loinc.org": {"LA33-6": YES, "LA32-8": NO, "LA4489-6": UNKNOWN, "LA12688-0": UNKNOWN},
    _NULL_FLAVOR: dict.fromkeys(_UNKNOWN_FLAVORS, UNKNOWN),
    _ABSENT: dict.fromkeys(_ABSENT_REASONS, UNKNOWN),
    ANSWER_SYSTEM: {"yes": YES, "no": NO, "unknown": UNKNOWN},
}


def code_of(link_id: str, answer: Mapping[str, Any]) -> str | None:
    """Read an answer as a code of its question, or as yes, no or unknown; None where it says neither."""
    coding = answer.get("valueCoding")
    if isinstance(coding, dict) and "code" in coding:
        return _of_question(link_id, coding)
    return _in_words_of(link_id, _plain(answer))


def _of_question(link_id: str, coding: Mapping[str, Any]) -> str | None:
    system, code = coding.get("system"), str(coding["code"])
    if system in (ANSWER_SYSTEM, None) and code.lower() in CHOICES.get(link_id, ()):
        return UNKNOWN if code.lower() == "unknown" else code.lower()
    if system is None:
        # Without a system a "no" may be the code of anything; a "yes" is not overheard.
        return _in_words_of(link_id, YES if code.lower() in ("y", "yes") else None)
    known = _MEANINGS.get(_SYSTEMS.get(system, system), {})
    return _in_words_of(link_id, known.get(code) or known.get(code.lower()) or known.get(code.upper()))


def _plain(answer: Mapping[str, Any]) -> str | None:
    """Read a boolean, or why there is none."""
    if isinstance(answer.get("valueBoolean"), bool):
        return YES if answer["valueBoolean"] else NO
    for bearer in (answer, *(part for part in answer.values() if isinstance(part, dict))):
        for extension in bearer.get("extension", []):
            if extension.get("url") == _ABSENT_EXTENSION:
                return _MEANINGS[_ABSENT].get(str(extension.get("valueCode")))
    return None


def _in_words_of(link_id: str, meaning: str | None) -> str | None:
    """Say yes, no or unknown in the codes of a question that has codes of its own."""
    own = CHOICES.get(link_id)
    if own is None or meaning in (None, UNKNOWN):
        return meaning
    # "Yes, there is a claim" does not say whether it is active: it is asked again.
    denial = next((code for code in own if code in ("no", "none")), None)
    return denial if meaning == NO else None
