"""A Questionnaire as a form, and the form as a QuestionnaireResponse.

Each question is a field named by its linkId. An answer that was not given is not there: nobody's silence is a
"no". A question that another answer switches on (`enableWhen`) is answered only where it is asked.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from services.portal import labels
from services.portal.acts import Wrong
from services.portal.typed import Typed, first


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One answer to choose: its value in the form, its words, and how FHIR writes it."""

    value: str
    text: str
    answer: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question; `only_after` names the question and the value that switch it on."""

    link_id: str
    text: str
    type: str
    options: Sequence[Option] = ()
    only_after: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Questions under one heading."""

    link_id: str
    text: str
    questions: Sequence[Question]


def groups_of(questionnaire: Mapping[str, Any]) -> list[Group]:
    """Read a Questionnaire; questions outside of any group stand in one of their own."""
    items = questionnaire.get("item", ())
    groups = [
        Group(
            link_id=item["linkId"],
            text=item.get("text", ""),
            questions=[_question(one) for one in item.get("item", ())],
        )
        for item in items
        if item["type"] == "group"
    ]
    loose = [_question(item) for item in items if item["type"] not in ("group", "display")]
    return [*groups, *([Group(link_id="", text="", questions=loose)] if loose else [])]


def answered(groups: Sequence[Group], typed: Typed) -> tuple[list[dict[str, Any]], list[Wrong]]:
    """Give the items of a QuestionnaireResponse for what was answered, and what was answered wrong."""
    items: list[dict[str, Any]] = []
    wrong: list[Wrong] = []
    for group in groups:
        found = list(_answers(group, typed, wrong))
        if found and group.link_id:
            items.append({"linkId": group.link_id, "item": found})
        else:
            items += found
    return items, wrong


def _answers(group: Group, typed: Typed, wrong: list[Wrong]) -> Iterator[dict[str, Any]]:
    for question in group.questions:
        given = first(typed, question.link_id)
        if not given or not _is_asked(question, typed):
            continue
        answer = _answer(question, given)
        if answer is None:
            wrong.append(Wrong(name=question.link_id, text=_allowed(question)))
        else:
            yield {"linkId": question.link_id, "answer": [answer]}


def _is_asked(question: Question, typed: Typed) -> bool:
    if question.only_after is None:
        return True
    other, value = question.only_after
    return value in typed.get(other, ())


def _answer(question: Question, given: str) -> Mapping[str, Any] | None:
    if question.options:
        return next((one.answer for one in question.options if one.value == given), None)
    if question.type == "date":
        try:
            return {"valueDate": date.fromisoformat(given).isoformat()}
        except ValueError:
            return None
    return {"valueString": given}


def _allowed(question: Question) -> str:
    if question.type == "date":
        return labels.DAY_AS
    return labels.NOT_LISTED


def _question(item: Mapping[str, Any]) -> Question:
    after = next(iter(item.get("enableWhen", ())), None)
    return Question(
        link_id=item["linkId"],
        text=item.get("text", ""),
        type=item["type"],
        options=[_option(one) for one in item.get("answerOption", ())],
        only_after=None if after is None else (after["question"], after["answerCoding"]["code"]),
    )


def _option(option: Mapping[str, Any]) -> Option:
    name, value = next((name, value) for name, value in option.items() if name.startswith("value"))
    if name == "valueCoding":
        return Option(value=value["code"], text=value.get("display", value["code"]), answer={name: value})
    return Option(value=str(value), text=str(value), answer={name: value})
