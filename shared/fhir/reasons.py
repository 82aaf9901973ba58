"""Reasons in FHIR: each one is a coding, with its arguments in an extension and its sentence in `display`.

The concept's `text` is all sentences in order, so that a reader who knows no code of ours reads it too. A
note, which holds no codes in FHIR, has the concept in an extension beside its text.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, tzinfo
from typing import Any

from shared.fhir.codes import LUMBAR
from shared.reasons import NO_WORDS, Argument, Reason, Words, as_written, one_text, said

REASON_SYSTEM = f"{LUMBAR}/CodeSystem/reason"
ARGUMENT_EXTENSION = f"{LUMBAR}/StructureDefinition/reason-argument"
REASON_EXTENSION = f"{LUMBAR}/StructureDefinition/reason"
_KINDS = ("dateTime", "date", "integer", "Reference", "code")


def concept(
    reasons: Sequence[Reason],
    sentences: Mapping[str, str],
    *,
    zone: tzinfo = UTC,
    words: Words = NO_WORDS,
) -> dict[str, Any]:
    """Write reasons as one CodeableConcept; an empty one where there is no reason."""
    if not reasons:
        return {}
    codings = [
        _coding(reason, said(reason, sentences, zone=zone, words=words), words=words) for reason in reasons
    ]
    return {"coding": codings, "text": one_text(coding["display"] for coding in codings)}


def added(
    stated: Mapping[str, Any],
    reasons: Sequence[Reason],
    sentences: Mapping[str, str],
    *,
    zone: tzinfo = UTC,
    words: Words = NO_WORDS,
) -> dict[str, Any]:
    """Add reasons to a CodeableConcept: their codings after its own, their sentences after its text."""
    if not reasons:
        return dict(stated)
    more = concept(reasons, sentences, zone=zone, words=words)
    text = one_text(text for text in (stated.get("text"), more["text"]) if text)
    return {**stated, "coding": [*stated.get("coding", ()), *more["coding"]], "text": text}


def note(
    reasons: Sequence[Reason],
    sentences: Mapping[str, str],
    *,
    zone: tzinfo = UTC,
    words: Words = NO_WORDS,
) -> list[dict[str, Any]]:
    """Write reasons as the notes of a resource: one Annotation, none where there is no reason."""
    if not reasons:
        return []
    stated = concept(reasons, sentences, zone=zone, words=words)
    extension = {"url": REASON_EXTENSION, "valueCodeableConcept": stated}
    return [{"extension": [extension], "text": stated["text"]}]


def reasons_of_notes(notes: Sequence[Mapping[str, Any]]) -> list[Reason]:
    """Read the reasons of notes; one without our extension is as a person wrote it."""
    found = []
    for written in notes:
        stated = [
            extension["valueCodeableConcept"]
            for extension in written.get("extension", ())
            if extension.get("url") == REASON_EXTENSION
        ]
        for concept_or_text in stated or [written]:
            found += reasons_of(concept_or_text)
    return found


def reasons_of(stated: Mapping[str, Any]) -> list[Reason]:
    """Read the reasons of a CodeableConcept of ours; one without our codings is as a person wrote it."""
    ours = [coding for coding in stated.get("coding", ()) if coding.get("system") == REASON_SYSTEM]
    if ours:
        return [_reason(coding) for coding in ours]
    words = str(stated.get("text", "")).strip()
    return [as_written(words)] if words else []


def _coding(reason: Reason, sentence: str, *, words: Words) -> dict[str, Any]:
    coding: dict[str, Any] = {"system": REASON_SYSTEM, "code": reason.code, "display": sentence}
    if reason.arguments:
        coding["extension"] = [_extension(argument, words=words) for argument in reason.arguments]
    return coding


def _extension(argument: Argument, *, words: Words) -> dict[str, Any]:
    value: Any = argument.value
    if argument.kind == "Reference":
        name = words.get(argument.name, {}).get(str(argument.value))
        value = {"reference": argument.value} | ({} if name is None else {"display": name})
    member = f"value{argument.kind[0].upper()}{argument.kind[1:]}"
    parts = [{"url": "name", "valueCode": argument.name}, {"url": "value", member: value}]
    return {"url": ARGUMENT_EXTENSION, "extension": parts}


def _reason(coding: Mapping[str, Any]) -> Reason:
    arguments = [
        _argument_of(extension["extension"])
        for extension in coding.get("extension", ())
        if extension.get("url") == ARGUMENT_EXTENSION
    ]
    return Reason(code=str(coding["code"]), arguments=tuple(arguments), text=coding.get("display"))


def _argument_of(parts: Sequence[Mapping[str, Any]]) -> Argument:
    stated = {part["url"]: part for part in parts}
    for kind in _KINDS:
        value = stated["value"].get(f"value{kind[0].upper()}{kind[1:]}")
        if value is not None:
            written = value["reference"] if kind == "Reference" else value
            return Argument(stated["name"]["valueCode"], kind, written)
    raise ValueError("an argument of a reason has no value of a known type")
