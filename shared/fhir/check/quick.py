"""The quick way: say of most right bodies that nothing is wrong with them, in 20 microseconds per KB.

`accepts` may say no to what is right, then the slow way (`steps.py`) decides and finds the places. It says
yes only where steps 1 (depth, members twice), 2, 3 and 5 find nothing:

- names, types, cardinalities, required members, codes and forms by the compiled Structs (`compiled.py`);
- members twice by counting: a member that is decoded and encoded again still has its colon, one of two that
  stood in one object is gone (where the body writes no colon as an escape);
- choices, references, narratives and invariants by the same functions as the slow way, in one walk over the
  elements that have any. Elements that cannot lead to one are passed by.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from shared.errors import Problem
from shared.fhir import references
from shared.fhir.check import across, bindings, compiled, documents, invariants, one_patient, questions
from shared.fhir.check.limits import MAX_DEPTH
from shared.fhir.check.narrative import wrong_narrative
from shared.fhir.check.schema import RESOURCE_TYPES, Member, Shape, is_resource_type
from shared.fhir.check.shape import Element
from shared.fhir.references import Form, ParsedReference

Data = Mapping[str, Any]

# What is passed by nests no deeper than this below an element that is visited (a test holds it).
PASSED_BY_DEPTH = 12
_ESCAPES = re.compile(rb"\\(?:[bf]|u00(?:[01]|3[aA]))")
_PLAIN_FORMS = frozenset({Form.RELATIVE, Form.ABSOLUTE, Form.URN})


class _Unsure(Exception):
    """The slow way has to decide."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is to be looked at in the elements of one type; `inner` leads on, by the names of members."""

    type: str
    rules: tuple[Callable[[Data], str | None], ...]
    choices: tuple[tuple[frozenset[str], bool], ...]
    refers: bool
    asks: bool
    looked_at: bool
    inner: dict[str, tuple["_Plan | None", Member]] = field(default_factory=dict)


class Quick:
    """The compiled validators of some resource types, and what to look at besides."""

    def __init__(self, names: Iterable[str]) -> None:
        names = frozenset(names)
        self._structs = compiled.compile_all(names)
        shapes = compiled.reached(names)
        self._plain = _plans(shapes, extended=False)
        self._extended = _plans(shapes, extended=True)

    def accepts(self, body: bytes, data: Data) -> bool:
        """Say whether nothing is wrong with a body; `data` is the body decoded, within the limits of size."""
        struct = self._structs.get(data["resourceType"])
        again = msgspec.json.encode(data)
        if struct is None or not _unambiguous(body, again):
            return False
        try:
            msgspec.convert(data, struct)
            _Visit(self._extended if _is_extended(again) else self._plain).whole(data)
        except (msgspec.ValidationError, _Unsure):
            return False
        return True


def _unambiguous(body: bytes, again: bytes) -> bool:
    """Say whether no member stands twice, no text has control characters, and no element is empty."""
    if b"\\" in body and _ESCAPES.search(body):
        return False
    return body.count(b":") == again.count(b":") and b"{}" not in again


def _is_extended(again: bytes) -> bool:
    """Say whether there may be extensions; looking for the rare underscore first is four times as fast."""
    return b'xtension"' in again or (b"_" in again and b'"_' in again)


class _Visit:
    """One walk over the elements that matter; raises _Unsure at the first that is not surely right."""

    def __init__(self, plans: Mapping[str, _Plan]) -> None:
        self._plans = plans
        self._referring: list[tuple[ParsedReference, Data, Data]] = []
        self._identified = False

    def whole(self, data: Data) -> None:
        """Visit a resource; of a transaction or message also hold that it is about one patient."""
        self._element(data, self._plans[data["resourceType"]], None, data, 1)
        if data["resourceType"] != "Bundle" or data["type"] not in one_patient.COMMANDS:
            return
        if self._identified:
            raise _Unsure
        entries = across.entries_of(data)
        patients = one_patient.Patients(entries)
        meant = {patients.meant(parsed, one, resource) for parsed, one, resource in self._referring}
        for entry in entries:
            resource = entry.get("resource")
            if resource is not None and resource["resourceType"] == "Patient":
                meant.add(patients.own_name(resource, entry))
        if len(meant - {None}) > 1:
            raise _Unsure

    def _element(self, data: Data, plan: _Plan, member: Member | None, resource: Data, depth: int) -> None:
        if depth > MAX_DEPTH - PASSED_BY_DEPTH:
            raise _Unsure
        if plan.looked_at or "contained" in data:
            self._look(data, plan, member, resource)
        known = len(self._referring)
        leading = plan.inner
        for name, value in data.items():
            if name not in leading:
                continue
            inner, of = leading[name]
            if type(value) is list:
                for item in value:
                    self._below(item, inner, of, resource, depth + 2)
            else:
                self._below(value, inner, of, resource, depth + 1)
            if name == "link" and plan.type == "Patient":
                del self._referring[known:]  # there for other records of a person

    def _below(self, value: Any, plan: _Plan | None, member: Member, resource: Data, depth: int) -> None:
        if plan is not None:
            if value is not None:
                self._element(value, plan, member, resource, depth)
        else:
            around = resource if member.name == "contained" else value
            self._element(value, self._plans[value["resourceType"]], None, around, depth)

    def _look(self, data: Data, plan: _Plan, member: Member | None, resource: Data) -> None:
        for rule in plan.rules:
            if rule(data) is not None:
                raise _Unsure
        for names, needed in plan.choices:
            # Most answers have one member, which cannot be two.
            if (needed or len(data) > 1) and len(data.keys() & names) not in ((1,) if needed else (0, 1)):
                raise _Unsure
        if plan.refers:
            self._refers(data, plan, member, resource)
        if plan.asks:
            _nothing(questions.problems(Element("", plan.type, data, member, resource)))
        if "contained" in data and data is resource:
            _nothing(invariants.problems(Element("", plan.type, data, member, resource)))
        if plan.type == "Bundle":
            _nothing(across.problems(data, ""))
            _nothing(documents.problems(data, ""))

    def _refers(self, data: Data, plan: _Plan, member: Member | None, resource: Data) -> None:
        parsed = references.parse(data)
        self._referring.append((parsed, data, resource))
        self._identified |= "identifier" in data and member is not None and member.name in references.ABOUT
        if plan.type != "Reference":
            return
        if parsed.form in _PLAIN_FORMS and "type" not in data:
            targets = (member and member.targets) or RESOURCE_TYPES
            if parsed.form is Form.URN or (parsed.type in targets and is_resource_type(parsed.type)):
                return
        _nothing(bindings.wrong_reference(data, "", member=member, resource=resource))


def _nothing(problems: Iterable[Problem]) -> None:
    for _ in problems:
        raise _Unsure


def _plans(shapes: Mapping[str, Shape], *, extended: bool) -> dict[str, _Plan]:
    """Make the plans of all types; `extended` says whether there are extensions, and ids of primitives."""
    plans = {name: _plan(shape) for name, shape in shapes.items()}
    leading = {name: list(_leading(shape, extended=extended)) for name, shape in shapes.items()}
    matter = _mattering(plans, leading)
    for name, members in leading.items():
        for step, member in members:
            target = "Element" if member.primitive else member.type
            if target == "Resource":
                plans[name].inner[step] = (None, member)
            elif target in matter:
                plans[name].inner[step] = (plans[target], member)
    return plans


def _leading(shape: Shape, *, extended: bool) -> Iterator[tuple[str, Member]]:
    """Give the members that hold elements, by their JSON name; a primitive's `_name` where there are any."""
    for member in shape.members.values():
        if member.extensible and extended:
            yield f"_{member.name}", member
        elif not member.primitive and (extended or member.type != "Extension"):
            yield member.name, member


def _plan(shape: Shape) -> _Plan:
    names = shape.members
    kind = names.get("type")
    rules = invariants.rules_of(shape.name) + ((_narrative,) if shape.name == "Narrative" else ())
    choices = tuple(_choices(shape))
    refers = "reference" in names or ("identifier" in names and kind is not None and kind.primitive)
    asks = shape.name in questions.TYPES
    return _Plan(
        type=shape.name,
        rules=rules,
        choices=choices,
        refers=refers,
        asks=asks,
        looked_at=bool(rules or choices or refers or asks or shape.name == "Bundle"),
    )


def _choices(shape: Shape) -> Iterator[tuple[frozenset[str], bool]]:
    needed = {label for label, names in shape.required if len(names) > 1}
    for label, names in shape.choices:
        yield frozenset(names) | {f"_{name}" for name in names}, label in needed


def _narrative(data: Data) -> str | None:
    return wrong_narrative(data.get("div"))


def _mattering(plans: Mapping[str, _Plan], leading: Mapping[str, list[tuple[str, Member]]]) -> set[str]:
    """Give the types that have something to look at, or lead to one that has."""
    matter = {name for name, plan in plans.items() if plan.looked_at} | {"Resource"}
    grown = True
    while grown:
        leads = {
            name
            for name, members in leading.items()
            if any(("Element" if member.primitive else member.type) in matter for _, member in members)
        }
        grown = not leads <= matter
        matter |= leads
    return matter
