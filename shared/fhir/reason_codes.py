"""The code system of all reasons, and that of the words of their arguments' codes, in each language.

With both a reader says a reason from its code and arguments, in their own language and zone:

    texts = reason_codes.read(code_systems, language="fr")
    reason_codes.say(task["statusReason"], texts, zone=zone)

Invariants:
- A sentence is a template: `{when:%Y-%m-%d %H:%M}` stands for the argument `when`, a day or a moment with
  the format that follows it; every language has the same ones.
- Properties of a code name its arguments by the kind of their value, and the services that give it.
- What clinic.yaml names (people, rooms, payers, programmes) has its words in the directory, not here.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, tzinfo
from string import Formatter
from typing import Any, get_args

import msgspec

from shared.fhir.codes import LUMBAR
from shared.fhir.reasons import REASON_SYSTEM, reasons_of
from shared.reasons import AS_WRITTEN, NO_WORDS, Kind, Kinds, Reason, Words, all_said

WORD_SYSTEM = f"{LUMBAR}/CodeSystem/reason-word"
_LANGUAGE = "en"
_KINDS: Mapping[str, str] = {
    "dateTime": "an argument that is a moment (UTC)",
    "date": "an argument that is a day",
    "integer": "an argument that is a number",
    "Reference": "an argument that is a reference",
    "code": "an argument that is a code; it may come several times",
}
_AS_WRITTEN = {
    "en": "As a person wrote it: the display of the coding is their words.",
    "fr": "Tel qu'une personne l'a écrit : ses mots sont le display du code.",
}
assert set(_KINDS) == set(get_args(Kind))


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceTexts:
    """The reasons of one service: sentences and words by language, and the kinds of arguments."""

    service: str
    sentences: Mapping[str, Mapping[str, str]]
    words: Mapping[str, Words]
    kinds: Kinds


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderTexts:
    """What a reader says reasons by: the sentences and words of one language."""

    sentences: Mapping[str, str]
    words: Words


def arguments_of(sentence: str) -> list[tuple[str, str]]:
    """Name the arguments of a sentence, each with its format, in order."""
    return sorted((name, form or "") for _, name, form, _ in Formatter().parse(sentence) if name)


def code_systems(services: Sequence[ServiceTexts]) -> list[dict[str, Any]]:
    """Render both code systems from what every service says."""
    kinds = [{"code": kind, "description": text, "type": "code"} for kind, text in _KINDS.items()]
    given_by = {"code": "service", "description": "a service that gives this reason", "type": "code"}
    return [
        _system(
            REASON_SYSTEM,
            title="Reasons, as sentences with arguments",
            concepts=list(_reasons(services)),
            properties=[*kinds, given_by],
        ),
        _system(
            WORD_SYSTEM,
            title="Words of the codes that are arguments of reasons: argument.code",
            concepts=list(_words(services)),
        ),
    ]


def read(systems: Sequence[Mapping[str, Any]], *, language: str) -> ReaderTexts:
    """Read the sentences and words of a language; what has none in it stays in English."""
    by_url = {system["url"]: system["concept"] for system in systems}
    words: dict[str, dict[str, str]] = {}
    for concept in by_url[WORD_SYSTEM]:
        argument, _, code = concept["code"].partition(".")
        words.setdefault(argument, {})[code] = _in(concept, language)
    sentences = {
        concept["code"]: _in(concept, language)
        for concept in by_url[REASON_SYSTEM]
        if concept["code"] != AS_WRITTEN
    }
    return ReaderTexts(sentences=sentences, words=words)


def say(stated: Mapping[str, Any], texts: ReaderTexts, *, zone: tzinfo = UTC, names: Words = NO_WORDS) -> str:
    """Say a CodeableConcept with reasons in a reader's language and zone.

    `names` are those of the clinic by argument and code, as its directory has them. What a person wrote, and
    a code that is not known here, keeps the words with which it came.
    """
    reasons = [_unsaid(reason) if reason.code in texts.sentences else reason for reason in reasons_of(stated)]
    return all_said(reasons, texts.sentences, zone=zone, words={**texts.words, **names})


def _unsaid(reason: Reason) -> Reason:
    return replace(reason, text=None)


def _in(concept: Mapping[str, Any], language: str) -> str:
    other: str = concept["display"]
    for designation in concept.get("designation", ()):
        if designation["language"] == language:
            other = designation["value"]
    return other


def _reasons(services: Sequence[ServiceTexts]) -> Iterator[dict[str, Any]]:
    yield _concept(AS_WRITTEN, _AS_WRITTEN)
    codes = sorted({code for texts in services for code in texts.sentences[_LANGUAGE]})
    for code in codes:
        giving = [texts for texts in services if code in texts.sentences[_LANGUAGE]]
        sentences = {language: said[code] for language, said in giving[0].sentences.items()}
        names = dict.fromkeys(name for name, _ in arguments_of(sentences[_LANGUAGE]))
        properties = [
            *({"code": giving[0].kinds[name], "valueCode": name} for name in names),
            *({"code": "service", "valueCode": texts.service} for texts in giving),
        ]
        yield {**_concept(code, sentences), "property": properties}


def _words(services: Sequence[ServiceTexts]) -> Iterator[dict[str, Any]]:
    found: dict[str, dict[str, str]] = {}
    for texts in services:
        for language, words in texts.words.items():
            for argument, known in words.items():
                for code, text in known.items():
                    # A code without a word of its own is said as it is.
                    found.setdefault(f"{argument}.{code}", {_LANGUAGE: code})[language] = text
    for name, by_language in sorted(found.items()):
        yield _concept(name, by_language)


def _concept(code: str, by_language: Mapping[str, str]) -> dict[str, Any]:
    others = [
        {"language": language, "value": text}
        for language, text in by_language.items()
        if language != _LANGUAGE
    ]
    return {"code": code, "display": by_language[_LANGUAGE], "designation": others}


def _system(
    url: str,
    *,
    title: str,
    concepts: Sequence[Mapping[str, Any]],
    properties: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    id = url.rpartition("/")[2]
    return {
        "resourceType": "CodeSystem",
        "id": id,
        "language": _LANGUAGE,
        "url": url,
        "version": hashlib.sha256(msgspec.json.encode(concepts)).hexdigest()[:12],
        "name": "".join(part.title() for part in f"{id}s".split("-")),
        "title": title,
        "status": "active",
        "caseSensitive": True,
        "content": "complete",
        "count": len(concepts),
        **({"property": properties} if properties else {}),
        "concept": concepts,
    }
