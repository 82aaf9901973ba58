"""msgspec Structs of the R4B types, compiled from the shapes: what one of them takes is right in step 2.

A Struct holds names (unknown ones forbidden), types, cardinalities, required members, required bindings and
the forms of values. It may refuse what is right (a 29 February, a null inside an array, a required value
that is only an extension) and never takes what step 2 refuses, save for what `quick.py` looks at: empty
elements, choices, control characters, the narrative. A differential test holds both readings together.
"""

import sys
from collections.abc import Iterable, Iterator, Mapping
from types import ModuleType
from typing import Annotated, Any, ForwardRef, Literal, Union

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from shared.fhir.check import formats
from shared.fhir.check.schema import Member, Shape, shape_of

# msgspec finds the types that a Struct names, also itself, in the module that the Struct says it stands in.
_ROOM = ModuleType(f"{__name__}.types")
sys.modules[_ROOM.__name__] = _ROOM
_ANY = "AnyResource"
_ELEMENT = ForwardRef("Element")
_EXTENDED = ForwardRef("Element | None")

_INT32 = 2**31
_TEXT = Annotated[str, Meta(min_length=1)]
_UNPATTERNED: Mapping[str, Any] = {
    "boolean": bool,
    "decimal": int | float,
    "integer": Annotated[int, Meta(ge=-_INT32, lt=_INT32)],
    "markdown": _TEXT,
    "positiveInt": Annotated[int, Meta(ge=1, lt=_INT32)],
    "string": _TEXT,
    "unsignedInt": Annotated[int, Meta(ge=0, lt=_INT32)],
    "xhtml": _TEXT,
}


def compile_all(names: Iterable[str]) -> Mapping[str, type[Struct]]:
    """Compile resource types and all that they are made of; a resource inside one is one of these types."""
    shapes = reached(names)
    structs = {name: _struct(shape) for name, shape in shapes.items()}
    vars(_ROOM).update(structs)
    resources = {name: structs[name] for name, shape in shapes.items() if shape.is_resource}
    setattr(_ROOM, _ANY, Union[tuple(resources.values())])  # noqa: UP007 - the members are known at run time
    for struct in resources.values():
        msgspec.json.Decoder(struct)
    return resources


def reached(names: Iterable[str]) -> dict[str, Shape]:
    """Give the shapes of types and of every type below them."""
    shapes: dict[str, Shape] = {}
    waiting = ["Element", *names]
    while waiting:
        name = waiting.pop()
        if name in shapes or name == "Resource":
            continue
        shapes[name] = shape_of(name)
        waiting += [member.type for member in shapes[name].members.values() if not member.primitive]
    return shapes


def _struct(shape: Shape) -> type[Struct]:
    needed = {names[0] for _, names in shape.required if len(names) == 1}
    fields: list[tuple[str, Any, Any]] = []
    renamed: dict[str, str] = {}
    for name, kind in _kinds(shape):
        field = f"f{len(fields)}"
        renamed[field] = name
        fields.append(
            (field, kind, msgspec.NODEFAULT) if name in needed else (field, kind | UnsetType, UNSET)
        )
    return msgspec.defstruct(
        shape.name,
        fields,
        module=_ROOM.__name__,
        rename=renamed,
        forbid_unknown_fields=True,
        kw_only=True,
        gc=False,
        tag_field="resourceType" if shape.is_resource else None,
        tag=shape.name if shape.is_resource else None,
    )


def _kinds(shape: Shape) -> Iterator[tuple[str, Any]]:
    """Give each member with what it may hold; of a primitive also `_name`, its id and extensions."""
    for member in shape.members.values():
        yield member.name, _repeated(_kind(member), member)
        if member.extensible:
            yield f"_{member.name}", _repeated(_EXTENDED if member.many else _ELEMENT, member)


def _repeated(kind: Any, member: Member) -> Any:
    return Annotated[list[kind], Meta(min_length=1)] if member.many else kind


def _kind(member: Member) -> Any:
    if not member.primitive:
        return ForwardRef(_ANY if member.type == "Resource" else member.type)
    if member.codes is not None:
        return Literal[tuple(sorted(member.codes))]
    if member.type in _UNPATTERNED:
        kind = _UNPATTERNED[member.type]
    else:
        kind = Annotated[str, Meta(pattern=rf"^(?:{formats.QUICK[member.type]})\Z")]
    return kind if member.longest is None else Annotated[kind, Meta(max_length=member.longest)]
