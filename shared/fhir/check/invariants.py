"""Step 3, second part: the invariants of R4 that the product relies on, each by its key in the specification.

A rule is a function of one element that says what is wrong; the tables name the types it is for. Here are
those of the data types; `care.py` has those of resources, `questions.py` those of Questionnaire and answers,
`across.py` those of a Bundle.
"""

import base64
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from shared.errors import Problem
from shared.fhir.check import bindings, care, questions
from shared.fhir.check.moments import comes_after
from shared.fhir.check.shape import Element

_UCUM = "http://unitsofmeasure.org"
Rule = Callable[[Mapping[str, Any]], str | None]


def problems(element: Element) -> Iterator[Problem]:
    """Give what is wrong with one element by the rules of its type."""
    for rule in rules_of(element.type):
        if text := rule(element.data):
            yield Problem(text=text, code="invariant", expression=element.path)
    if element.type == "Reference":
        yield from bindings.wrong_reference(
            element.data, element.path, member=element.member, resource=element.resource
        )
    elif element.type in questions.TYPES:
        yield from questions.problems(element)
    if "contained" in element.data and element.data is element.resource:
        yield from _contained(element)


def rules_of(type_name: str) -> tuple[Rule, ...]:
    """Give the rules that look at one element of this type alone."""
    return _DATATYPES.get(type_name, ()) + care.RULES.get(type_name, ()) + questions.RULES.get(type_name, ())


def _extension(data: Mapping[str, Any]) -> str | None:
    has_value = any(name.lstrip("_").startswith("value") for name in data)
    if has_value is not bool(data.get("extension")):
        return None
    return "an extension has either a value or extensions (ext-1)"


def _period(data: Mapping[str, Any]) -> str | None:
    start, end = data.get("start"), data.get("end")
    return "the start is not after the end (per-1)" if comes_after(start, end) else None


def _quantity(data: Mapping[str, Any]) -> str | None:
    if "code" in data and not {"system", "_system"} & data.keys():
        return "a code of a unit needs its system (qty-3)"
    return None


def _duration(data: Mapping[str, Any]) -> str | None:
    if "code" in data and not (data.get("system") == _UCUM and {"value", "_value"} & data.keys()):
        return "a code of a duration is of UCUM and has a value (drt-1)"
    return None


def _measured(data: Mapping[str, Any]) -> str | None:
    if ("value" in data and "code" not in data) or data.get("system", _UCUM) != _UCUM:
        return "a value of an age or distance has a code of UCUM (age-1, dis-1)"
    return None


def _range(data: Mapping[str, Any]) -> str | None:
    low, high = _number(data, "low"), _number(data, "high")
    units = {_unit(data, "low"), _unit(data, "high")}
    if low is not None and high is not None and len(units) == 1 and low > high:
        return "low is not above high (rng-2)"
    return None


def _ratio(data: Mapping[str, Any]) -> str | None:
    if ("numerator" in data) is ("denominator" in data) and ("numerator" in data or "extension" in data):
        return None
    return "numerator and denominator stand together (rat-1)"


def _attachment(data: Mapping[str, Any]) -> str | None:
    content = data.get("data")
    if not isinstance(content, str):
        return None
    if not {"contentType", "_contentType"} & data.keys():
        return "data needs its contentType (att-1)"
    size = data.get("size")
    if isinstance(size, int) and _decoded_size(content) not in (size, None):
        return "size is not the number of bytes of data"
    return None


def _decoded_size(content: str) -> int | None:
    try:
        return len(base64.b64decode(content))
    except ValueError:
        return None


def _contact_point(data: Mapping[str, Any]) -> str | None:
    if "value" in data and not {"system", "_system"} & data.keys():
        return "a value needs its system (cpt-2)"
    return None


def _repeat(data: Mapping[str, Any]) -> str | None:
    for name, needs, key in (
        ("duration", "durationUnit", "tim-1"),
        ("period", "periodUnit", "tim-2"),
        ("periodMax", "period", "tim-6"),
        ("durationMax", "duration", "tim-7"),
        ("countMax", "count", "tim-8"),
        ("offset", "when", "tim-9"),
    ):
        if name in data and needs not in data:
            return f"{name} needs {needs} ({key})"
    if any(isinstance(data.get(name), int | float) and data[name] < 0 for name in ("duration", "period")):
        return "a duration or period is not negative (tim-4, tim-5)"
    return "timeOfDay and when exclude each other (tim-10)" if {"timeOfDay", "when"} <= data.keys() else None


def _number(data: Mapping[str, Any], name: str) -> float | None:
    part = data.get(name)
    value = part.get("value") if isinstance(part, dict) else None
    return value if isinstance(value, int | float) else None


def _unit(data: Mapping[str, Any], name: str) -> Any:
    part = data.get(name)
    return str(part.get("code", part.get("unit"))) if isinstance(part, dict) else None


def _expression(data: Mapping[str, Any]) -> str | None:
    return None if {"expression", "reference"} & data.keys() else "expression or reference is needed (exp-1)"


_QUANTITY: tuple[Rule, ...] = (_quantity,)
_DATATYPES: Mapping[str, tuple[Rule, ...]] = {
    "Age": (_quantity, _measured),
    "Attachment": (_attachment,),
    "ContactPoint": (_contact_point,),
    "Count": _QUANTITY,
    "Distance": (_quantity, _measured),
    "Duration": (_quantity, _duration),
    "Expression": (_expression,),
    "Extension": (_extension,),
    "Period": (_period,),
    "Quantity": _QUANTITY,
    "Range": (_range,),
    "Ratio": (_ratio,),
    "TimingRepeat": (_repeat,),
}


def _contained(element: Element) -> Iterator[Problem]:
    """Hold contained resources to dom-2 to dom-5; `element` is the resource around them."""
    contained = element.data["contained"]
    if not isinstance(contained, list):
        return
    wanted = set(_local_references(element.data))
    for index, inner in enumerate(contained):
        if isinstance(inner, dict) and (text := _contained_wrong(inner, wanted)):
            yield Problem(text=text, code="invariant", expression=f"{element.path}.contained[{index}]")


def _contained_wrong(inner: Mapping[str, Any], wanted: set[str]) -> str | None:
    if "contained" in inner:
        return "a contained resource contains none (dom-2)"
    meta = inner.get("meta")
    if isinstance(meta, dict) and meta.keys() & {"versionId", "lastUpdated", "security"}:
        return "a contained resource has no version and no security label (dom-4, dom-5)"
    if f"#{inner.get('id')}" in wanted or "#" in set(_local_references(inner)):
        return None
    return "a contained resource is referred to from the resource around it, or refers to it (dom-3)"


def _local_references(node: Any) -> Iterator[str]:
    """Give every string below that begins with `#`: references and canonicals to contained resources."""
    stack = [node]
    while stack:
        part = stack.pop()
        if isinstance(part, dict):
            stack.extend(part.values())
        elif isinstance(part, list):
            stack.extend(part)
        elif isinstance(part, str) and part.startswith("#"):
            yield part
