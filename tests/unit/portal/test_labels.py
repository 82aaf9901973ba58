"""Whatever a service offers has a name on a page, in both languages."""

from collections.abc import Iterator, Sequence
from functools import cache
from gettext import NullTranslations
from typing import Any

from services.careteam import operations as of_careteam
from services.careteam.fhir.questionnaire import questionnaires
from services.portal import labels, patient_labels
from services.portal.api.menus import MENUS
from services.portal.languages import FRENCH, load_languages
from services.referral import operations as of_referral
from services.referral.fhir.questionnaire import render
from services.scheduling import operations as of_scheduling
from shared.fhir import intake
from shared.operations import Operation, Parameter

_COMPOSED = {"Resource", "BackboneElement", "Identifier"}


def operations() -> list[Operation[Any]]:
    """List everything that is done with one resource."""
    tables = (*of_referral.TABLES, *of_scheduling.TABLES, *of_careteam.TABLES)
    return [one for table in tables for one in table.of_one]


def asked(parameters: Sequence[Parameter]) -> Iterator[Parameter]:
    for one in parameters:
        yield one
        yield from asked(one.parts)


def is_french(text: str) -> bool:
    """Whether the catalogue has another text for it."""
    return french().gettext(text) != text


@cache
def french() -> NullTranslations:
    return load_languages()[FRENCH].catalogue


def test_every_act_has_a_name() -> None:
    assert sorted({one.name for one in operations()} - set(labels.ACTS)) == []


def test_every_act_is_explained_in_french() -> None:
    assert sorted({one.text for one in operations() if not is_french(one.text)}) == []


def test_everything_that_a_plain_form_asks_has_a_name() -> None:
    plain = [
        one
        for one in operations()
        if one.kind != "create" and not _COMPOSED & {part.type for part in asked(one.parameters)}
    ]
    names = {part.name for one in plain for part in asked(one.parameters)} - {"end"}
    assert sorted(names - set(labels.FIELDS)) == []


def test_every_question_has_its_french() -> None:
    items = [item for one in (render(), *questionnaires()) for item in one["item"]]
    questions = [item.get("text", "") for group in items for item in (group, *group.get("item", ()))]
    scored = [text for text in questions if text.startswith(("Section", "STarT Back", "Item"))]
    assert [text for text in questions if text not in scored and text and not is_french(text)] == []


def test_no_key_is_used_twice_in_a_menu() -> None:
    for party, entries in MENUS.items():
        letters = [entry.letter for entry in entries]
        assert len(letters) == len(set(letters)), party


def test_the_intake_form_asks_what_its_questionnaire_does() -> None:
    assert patient_labels.INTAKE == intake.QUESTIONS
