"""Step 3, fourth part: invariants of Questionnaire (que-1 to que-13) and QuestionnaireResponse (qrs-1)."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from shared.errors import Problem
from shared.fhir.check.schema import word
from shared.fhir.check.shape import Element

TYPES = frozenset({"Questionnaire", "QuestionnaireItem", "QuestionnaireItemEnableWhen"})

_CHOICES = frozenset({"choice", "open-choice"})
_OPTIONS = _CHOICES | {"decimal", "integer", "date", "dateTime", "time", "string", "quantity"}
_LENGTHS = frozenset({"boolean", "decimal", "integer", "string", "text", "url", "open-choice"})

Data = Mapping[str, Any]
Rule = Callable[[Data], str | None]


def problems(element: Element) -> Iterator[Problem]:
    """Give what is wrong with a questionnaire or one of its items."""
    texts: Iterator[str]
    if element.type == "Questionnaire":
        texts = _link_ids(element.data)
    elif element.type == "QuestionnaireItem":
        texts = _item(element.data)
    else:
        texts = _enable_when(element.data)
    for text in texts:
        yield Problem(text=text, code="invariant", expression=element.path)


def _link_ids(data: Data) -> Iterator[str]:
    seen: set[Any] = set()
    stack = list(_items(data))
    while stack:
        item = stack.pop()
        stack.extend(_items(item))
        link = str(item.get("linkId"))
        if link in seen:
            yield "each linkId stands once in the Questionnaire (que-2)"
            return
        seen.add(link)


def _item(data: Data) -> Iterator[str]:
    kind = word(data.get("type"))
    if kind == "group" and "item" not in data:
        yield "a group has items (que-1)"
    if kind == "display":
        yield from _display(data)
    if {"answerOption", "answerValueSet"} <= data.keys():
        yield "answerOption and answerValueSet exclude each other (que-4)"
    if kind not in _OPTIONS and data.keys() & {"answerOption", "answerValueSet"}:
        yield "only a choice has options (que-5)"
    if kind in ("group", "display") and "initial" in data:
        yield "a group or display has no initial value (que-8)"
    if kind not in _LENGTHS and "maxLength" in data:
        yield "only a simple question has a maxLength (que-10)"
    yield from _initial(data)
    if _count(data, "enableWhen") > 1 and "enableBehavior" not in data:
        yield "more than one enableWhen needs enableBehavior (que-12)"


def _display(data: Data) -> Iterator[str]:
    if "item" in data:
        yield "a display has no items (que-1)"
    if "code" in data:
        yield "a display has no code (que-3)"
    if data.keys() & {"required", "repeats"}:
        yield "a display is neither required nor repeated (que-6)"
    if "readOnly" in data:
        yield "a display is not readOnly (que-9)"


def _initial(data: Data) -> Iterator[str]:
    if {"answerOption", "initial"} <= data.keys():
        yield "where there are answerOptions there is no initial value (que-11)"
    if _count(data, "initial") > 1 and data.get("repeats") is not True:
        yield "only what repeats has several initial values (que-13)"


def _enable_when(data: Data) -> Iterator[str]:
    if data.get("operator") == "exists" and "answerBoolean" not in data:
        yield "the operator exists needs a boolean answer (que-7)"


def _answered(data: Data) -> str | None:
    if "item" in data and isinstance(data.get("answer"), list):
        return "an item has items below itself or below its answers, not both (qrs-1)"
    return None


def _items(data: Data) -> list[Data]:
    items = data.get("item")
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def _count(data: Data, name: str) -> int:
    parts = data.get(name)
    return len(parts) if isinstance(parts, list) else 0


RULES: Mapping[str, tuple[Rule, ...]] = {"QuestionnaireResponseItem": (_answered,)}
