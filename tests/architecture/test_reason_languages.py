"""No reason lacks a language, its sentences have the same arguments in each, and the page of all is fresh."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from deploy import reasons
from deploy.services import SERVICES
from shared.fhir.reason_codes import ServiceTexts, arguments_of
from shared.reasons import NO_WORDS

PLANTED = ServiceTexts(
    service="toy",
    sentences={"en": {"moved": "Moved to {when:%Y-%m-%d}."}, "fr": {"moved": "Déplacé au {when:%Y-%m-%d}."}},
    words={"en": {"state": {"booked": "booked"}}, "fr": {"state": {"booked": "fixé"}}},
    kinds={"when": "dateTime"},
)


def faults(texts: ServiceTexts) -> list[str]:
    """Name each sentence without its like in the other language, and each argument without a kind."""
    english, french = texts.sentences["en"], texts.sentences["fr"]
    found = [f"{code} is in one language" for code in english.keys() ^ french.keys()]
    for code in english.keys() & french.keys():
        if arguments_of(english[code]) != arguments_of(french[code]):
            found.append(f"{code} has other arguments in French")
    names = {name for sentence in english.values() for name, _ in arguments_of(sentence)}
    found += [f"the kind of {name} is not known, or idle" for name in names ^ texts.kinds.keys()]
    for argument, words in texts.words["en"].items():
        untold = words.keys() - texts.words["fr"].get(argument, {}).keys()
        found += [f"{argument}.{code} has no French word" for code in untold]
    return found


@pytest.mark.parametrize("service", SERVICES)
def test_every_reason_of_a_service_is_in_both_languages_with_the_same_arguments(service: str) -> None:
    assert faults(reasons.texts_of(service)) == []


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ({"sentences": {**PLANTED.sentences, "fr": {}}}, "moved is in one language"),
        (
            {"sentences": {**PLANTED.sentences, "fr": {"moved": "Déplacé au {when:%d}."}}},
            "moved has other arguments in French",
        ),
        (
            {"sentences": {**PLANTED.sentences, "fr": {"moved": "Déplacé au {day:%Y-%m-%d}."}}},
            "moved has other arguments in French",
        ),
        ({"kinds": {}}, "the kind of when is not known, or idle"),
        ({"kinds": {"when": "dateTime", "day": "date"}}, "the kind of day is not known, or idle"),
        ({"words": {**PLANTED.words, "fr": NO_WORDS}}, "state.booked has no French word"),
    ],
)
def test_a_planted_fault_is_seen(fault: Mapping[str, object], told: str) -> None:
    assert faults(PLANTED) == []
    assert faults(replace(PLANTED, **fault)) == [told]  # type: ignore[arg-type]


def test_what_two_services_say_by_one_code_is_the_same_in_every_language() -> None:
    known: dict[tuple[str, str], str] = {}
    for texts in map(reasons.texts_of, SERVICES):
        said = {
            (language, code): text
            for language in texts.sentences
            for code, text in texts.sentences[language].items()
        }
        said |= {
            (language, f"{argument}.{code}"): text
            for language, words in texts.words.items()
            for argument, by_code in words.items()
            for code, text in by_code.items()
        }
        assert {key: text for key, text in said.items() if known.get(key, text) != text} == {}
        known |= said


def test_the_page_of_all_reasons_is_fresh() -> None:
    assert reasons.PAGE.read_text() == reasons.page(), "write it anew: python -m deploy.reasons"
