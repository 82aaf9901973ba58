"""Step 2: names, types and cardinalities, with formats and required codes of the values, in document order.

One walk reads the whole resource and keeps what the later steps look at: each element with its type and path.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from shared import indexed_text
from shared.errors import Problem
from shared.fhir.check import bindings, formats
from shared.fhir.check.limits import MAX_PROBLEMS
from shared.fhir.check.schema import Member, Shape, is_resource_type, shape_of

Data = Mapping[str, Any]

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")


class Element(NamedTuple):
    """A well-formed element: its place, its type, the member it stands in, the outermost resource around."""

    path: str
    type: str
    data: Data
    member: Member | None
    resource: Data


@dataclass(slots=True)
class Walk:
    """What one walk found: problems of shape, and every element in document order."""

    problems: list[Problem] = field(default_factory=list)
    elements: list[Element] = field(default_factory=list)

    def resource(self, value: Any, path: str | None = None, *, around: Data | None = None) -> None:
        """Walk a resource; `around` is the resource that contains it, None for one that stands by itself."""
        if not isinstance(value, dict):
            self._wrong("a resource is a JSON object", path)
            return
        name = value.get("resourceType")
        if not is_resource_type(name):
            self._wrong("a resource names a resourceType of FHIR R4B", path)
            return
        self._element(
            value, shape_of(str(name)), path or str(name), None, value if around is None else around
        )

    def _wrong(self, text: str, path: str | None, code: str = "structure") -> None:
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(Problem(text=text, code=code, expression=path))

    def _element(self, data: Data, shape: Shape, path: str, member: Member | None, resource: Data) -> None:
        if len(self.problems) >= MAX_PROBLEMS:
            return
        self.elements.append(Element(path, shape.name, data, member, resource))
        if not data or (shape.is_resource and len(data) == 1 and shape.required):
            self._wrong(
                "an element has a value or children (ele-1)", path, "required" if data else "structure"
            )
        for name, value in data.items():
            found = shape.members.get(name)
            if found is not None:
                self._member(found, data, value, f"{path}.{found.step}", resource)
            elif name != "resourceType" or not shape.is_resource:
                self._other(shape, name, value, path, resource)
        self._complete(data, shape, path)

    def _other(self, shape: Shape, name: str, value: Any, path: str, resource: Data) -> None:
        """Read `_name`, which holds id and extensions of a primitive; every other name is unknown."""
        found = shape.members.get(name[1:]) if name.startswith("_") else None
        if found is None or not found.extensible:
            self._wrong(
                f"{shape.name} has no such member", f"{path}.{name}" if _NAME.fullmatch(name) else path
            )
            return
        place = f"{path}.{found.step}"
        if isinstance(value, list) != found.many or value == []:
            self._wrong("an array is needed here" if found.many else "no array is allowed here", place)
            return
        for index, part in enumerate(value if found.many else [value]):
            where = f"{place}[{index}]" if found.many else place
            if isinstance(part, dict):
                self._element(part, shape_of("Element"), where, None, resource)
            elif part is not None or not found.many:
                self._wrong("id and extensions of a primitive stand in a JSON object", where)

    def _member(self, member: Member, data: Data, value: Any, path: str, resource: Data) -> None:
        if not member.many:
            self._value(member, value, path, resource)
            return
        if not isinstance(value, list) or not value:
            self._wrong("an array that is not empty is needed here", path)
            return
        for index, item in enumerate(value):
            if item is None and _extended(data, member.name, index):
                continue
            self._value(member, item, f"{path}[{index}]", resource)

    def _value(self, member: Member, value: Any, path: str, resource: Data) -> None:
        if member.primitive:
            text = formats.wrong(member.type, value)
            if text is not None:
                self._wrong(text, path, "value" if isinstance(value, str) else "structure")
            elif member.codes is not None and (text := bindings.wrong_code(member, value)):
                self._wrong(text, path, "code-invalid")
            elif member.longest is not None and (text := indexed_text.too_long(value)):
                self._wrong(text, path, "too-long")
        elif member.type == "Resource":
            self.resource(value, path, around=resource if member.name == "contained" else None)
        elif isinstance(value, dict):
            self._element(value, shape_of(member.type), path, member, resource)
        else:
            self._wrong("a JSON object is needed here", path)

    def _complete(self, data: Data, shape: Shape, path: str) -> None:
        for label, names in shape.required:
            if not any(name in data or f"_{name}" in data for name in names):
                self._wrong(f"{shape.name} needs this", f"{path}.{label}", "required")
        for label, names in shape.choices:
            if sum(name in data or f"_{name}" in data for name in names) > 1:
                self._wrong("only one of the types is allowed at once", f"{path}.{label}")


def _extended(data: Data, name: str, index: int) -> bool:
    parts = data.get(f"_{name}")
    return isinstance(parts, list) and index < len(parts) and isinstance(parts[index], dict)
