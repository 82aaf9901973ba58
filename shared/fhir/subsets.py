"""Parts of resources: what `_summary` and `_elements` leave of a body, marked SUBSETTED (R4 search.html
3.1.1.5.8, 3.1.1.5.9).

A part keeps what a reader must not miss: id, meta, what the type needs, and what changes the meaning of the
rest.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from shared.errors import Invalid, NotSupported
from shared.fhir.check.schema import Shape, shape_of

SUMMARIES = ("true", "text", "data", "count", "false")
NAMES = ("_summary", "_elements")
_SUBSETTED = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
    "code": "SUBSETTED",
    "display": "subsetted",
}
_ALWAYS = frozenset({"resourceType", "id", "meta", "implicitRules", "modifierExtension"})
# The elements of our types that R4 marks with Is-Modifier beside those that a type needs anyway.
_MODIFIERS = frozenset(
    {
        "active",
        "clinicalStatus",
        "deceasedBoolean",
        "deceasedDateTime",
        "doNotPerform",
        "link",
        "mode",
        "refuted",
        "status",
        "verificationStatus",
    }
)
_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])


@dataclass(frozen=True, slots=True, kw_only=True)
class Subset:
    """What is wanted of each resource: all of it where `summary` is None and `elements` are none."""

    summary: str | None = None
    elements: frozenset[str] = frozenset()

    def cut(self, body: bytes) -> bytes:
        """Leave of a body what is wanted, with the tag SUBSETTED; all of it where all is wanted."""
        if self.summary is None and not self.elements:
            return body
        members = _MEMBERS.decode(body)
        shape = shape_of(msgspec.json.decode(members["resourceType"]))
        kept = {name: value for name, value in members.items() if self._keeps(name.lstrip("_"), shape)}
        return msgspec.json.encode(kept | {"meta": _tagged(kept.get("meta"))})

    def _keeps(self, name: str, shape: Shape) -> bool:
        if name in _ALWAYS or name in _MODIFIERS or name in needed(shape):
            return True
        if self.elements:
            return name in self.elements or _stem(name, shape) in self.elements
        if self.summary == "true":
            return name in shape.summary
        return (name == "text") == (self.summary == "text")


WHOLE = Subset()


def read(asked: Mapping[str, Sequence[str]], *, resource_type: str) -> tuple[Subset, Collection[str]]:
    """Read `_summary` and `_elements`; the second part names the elements that the type does not have.

    `count` and `false` leave resources whole. Raises Invalid for another `_summary`, and NotSupported for
    both at once, of which one would contradict the other.
    """
    summaries = {text for text in asked.get("_summary", ()) if text != "false"}
    named = {name.strip() for text in asked.get("_elements", ()) for name in text.split(",")} - {""}
    if not summaries <= {*SUMMARIES} or len(summaries) > 1:
        raise Invalid(f"one of {', '.join(SUMMARIES)} is needed", expression="_summary")
    if summaries - {"count"} and named:
        raise NotSupported("_summary and _elements do not go together", expression="_elements")
    shape = shape_of(resource_type)
    known = {*shape.members, *(stem for stem, _ in shape.choices), "resourceType"}
    summary = next(iter(summaries - {"count"}), None)
    # With nothing but unknown names the part is the least: `id` is always in it.
    elements = frozenset(named & known) or frozenset({"id"} if named else ())
    return Subset(summary=summary, elements=elements), sorted(named - known)


def needed(shape: Shape) -> frozenset[str]:
    """Name the members that a type must have, each of a choice."""
    return frozenset(name for _, names in shape.required for name in names)


def _stem(name: str, shape: Shape) -> str | None:
    return next((stem for stem, names in shape.choices if name in names), None)


def _tagged(meta: msgspec.Raw | None) -> dict[str, Any]:
    read: dict[str, Any] = msgspec.json.decode(meta) if meta is not None else {}
    return {**read, "tag": [*read.get("tag", ()), _SUBSETTED]}
