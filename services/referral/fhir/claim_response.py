"""Reading an insurer's ClaimResponse: the review action of each item, and what it grants.

The status never comes from `ClaimResponse.outcome`: a pended answer has the outcome `complete`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.referral.fhir.reading import day_of, texts
from services.referral.models.grants import GrantedItem, RequestedItem
from services.referral.states import STATUS_OF_ACTION
from shared.clinic import Discipline
from shared.errors import Problem

Resource = Mapping[str, Any]

_PRODUCTS = tuple(f"{discipline}-session" for discipline in Discipline)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What a ClaimResponse says, with everything in it that cannot be read."""

    items: tuple[GrantedItem, ...]
    reason: str | None
    problems: tuple[Problem, ...]


def read(response: Resource, *, requested: Sequence[RequestedItem]) -> Answered:
    """Read each item's review action, units and period."""
    problems: list[Problem] = []
    items = [
        item
        for index, stated in enumerate(response.get("item", []))
        if (item := _item(response, stated, index, requested, problems)) is not None
    ]
    return Answered(items=tuple(items), reason=_reason(response), problems=tuple(problems))


def _item(
    response: Resource,
    stated: Resource,
    index: int,
    requested: Sequence[RequestedItem],
    problems: list[Problem],
) -> GrantedItem | None:
    where = f"ClaimResponse.item[{index}]"
    sequence = int(stated.get("itemSequence", 0))
    action = _action(stated)
    if action not in STATUS_OF_ACTION:
        text = f"a review action is needed, one of {', '.join(STATUS_OF_ACTION)}"
        problems.append(_problem(text, f"{where}.adjudication.extension", code="code-invalid"))
        return None
    asked = next((item for item in requested if item.sequence == sequence), None)
    added = _added(response, sequence)
    if action == "A6" and added is None:
        text = f"A6 (modified) needs an addItem for item {sequence} that says what is authorized instead"
        problems.append(_problem(text, "ClaimResponse.addItem", code="required"))
        return None
    product = _product(added) or (asked.product if asked else "")
    if product and product not in _PRODUCTS:
        text = f"the clinic's services are {', '.join(_PRODUCTS)}; {product} is none of them"
        problems.append(_problem(text, "ClaimResponse.addItem.productOrService", code="code-invalid"))
    start, end = _period(response, added, asked)
    return GrantedItem(
        sequence=sequence,
        action=action,
        product=product,
        units=_units(action, stated, added, asked),
        start=start,
        end=end,
    )


def _action(item: Resource) -> str:
    for adjudication in item.get("adjudication", []):
        for review in _named(adjudication, "reviewAction"):
            for code in _named(review, "reviewActionCode"):
                codes = list(texts(code.get("valueCodeableConcept", {}).get("coding", []), "code"))
                if codes:
                    return codes[0]
    return ""


def _named(element: Resource, ending: str) -> Iterator[Resource]:
    for extension in element.get("extension", []):
        if str(extension.get("url", "")).endswith(ending):
            yield extension


def _added(response: Resource, sequence: int) -> Resource | None:
    for added in response.get("addItem", []):
        if sequence in added.get("itemSequence", []):
            return added  # type: ignore[no-any-return]
    return None


def _product(added: Resource | None) -> str | None:
    codings = (added or {}).get("productOrService", {}).get("coding", [])
    return next(texts(codings, "code"), None)


def _units(action: str, stated: Resource, added: Resource | None, asked: RequestedItem | None) -> int:
    if action == "A1":
        return 0 if asked is None else asked.units
    if action not in ("A2", "A6"):
        return 0
    value = (added or {}).get("quantity", {}).get("value")
    if value is None and action == "A2":
        values = [
            adjudication["value"]
            for adjudication in stated.get("adjudication", [])
            if "value" in adjudication
        ]
        value = values[0] if values else None
    return 0 if value is None else int(value)


def _period(response: Resource, added: Resource | None, asked: RequestedItem | None) -> tuple[Any, Any]:
    period = (added or {}).get("servicedPeriod") or response.get("preAuthPeriod") or {}
    start, end = day_of(period.get("start")), day_of(period.get("end"))
    return (start.earliest if start else asked and asked.start, end.latest if end else asked and asked.end)


def _reason(response: Resource) -> str | None:
    stated = list(texts(response.get("processNote", []), "text"))
    if not stated:
        stated = [text for item in response.get("item", []) for text in _item_reasons(item)]
    return " ".join(dict.fromkeys(stated)) or None


def _item_reasons(item: Resource) -> Iterator[str]:
    for adjudication in item.get("adjudication", []):
        yield from _words(adjudication.get("reason", {}))
        for review in _named(adjudication, "reviewAction"):
            for code in _named(review, "reasonCode"):
                yield from _words(code.get("valueCodeableConcept", {}))


def _words(concept: Resource) -> Iterator[str]:
    yield from texts([concept], "text")
    if not concept.get("text"):
        yield from texts(concept.get("coding", []), "display")


def _problem(text: str, expression: str, *, code: str) -> Problem:
    return Problem(text=text, code=code, expression=expression)
