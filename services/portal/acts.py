"""What a person may do with a resource now, as `$available-actions` says: forms are made of it, and calls.

Invariant: a page offers an act only from here, so nothing is offered that the service would not do.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.fhir.values import value_of

# What a form cannot ask field by field; such acts have pages of their own.
FOLLOWS = frozenset({"end"})
_COMPOSED = frozenset({"Resource", "BackboneElement", "Identifier"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One thing that an act asks: `type` is a FHIR type, `allowed` what may be said where that is a list."""

    name: str
    type: str
    text: str
    is_required: bool
    is_repeated: bool
    allowed: Sequence[str] = ()
    targets: Sequence[str] = ()
    parts: "Sequence[Field]" = ()

    @property
    def is_fixed(self) -> bool:
        """Whether there is but one thing to say, so that nobody is asked."""
        return self.is_required and len(self.allowed) == 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One act: how it is called, what it asks, and why not where it may not be done now."""

    name: str
    kind: str
    method: str
    path: str
    text: str
    fields: Sequence[Field]
    is_available: bool
    why_not: Mapping[str, Any] = field(default_factory=dict)

    @property
    def asked(self) -> list[Field]:
        """What a person is asked: everything that is not fixed, nor follows from something else."""
        return [one for one in self.fields if not one.is_fixed and one.name not in FOLLOWS]

    @property
    def gives(self) -> str | None:
        """The status that it gives, where that is all there is to say of it."""
        return next((one.allowed[0] for one in self.fields if one.is_fixed and one.name == "status"), None)

    @property
    def is_simple(self) -> bool:
        """Whether a form of plain fields can make it."""
        parts = [part for one in self.fields for part in one.parts]
        types = {one.type for one in [*self.fields, *parts]}
        return self.kind != "create" and not types & _COMPOSED


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    """One thing that was typed wrong: the field's name in the form, and what is allowed."""

    name: str
    text: str


def acts_of(parameters: Mapping[str, Any] | None, *, status: str | None = None) -> list[Act]:
    """Read what `$available-actions` answered; none where it could not be read.

    An act that only gives a resource the `status` that it has is left out: nobody needs a button for it.
    """
    acts = [_act(one["part"]) for one in (parameters or {}).get("parameter", ()) if one["name"] == "action"]
    return [act for act in acts if status is None or act.gives != status]


def address_of(act: Act, service: str) -> str:
    """Give the path of an act's page, from the address at which the service takes it."""
    resource_type, resource_id = act.path.removeprefix(f"/{service}/fhir/").split("/")[:2]
    return f"/do/{service}/{resource_type}/{resource_id}/{act.name}"


def _act(parts: Sequence[Mapping[str, Any]]) -> Act:
    said = {part["name"]: value_of(part) for part in parts if "part" not in part}
    return Act(
        name=said["name"],
        kind=said["kind"],
        method=said["method"],
        path=_path(said["url"]),
        text=said.get("documentation", ""),
        fields=[_field(part["part"]) for part in parts if part["name"] == "parameter"],
        is_available=bool(said.get("available")),
        why_not=said.get("reason", {}),
    )


def _field(parts: Sequence[Mapping[str, Any]]) -> Field:
    said = {part["name"]: value_of(part) for part in parts if "part" not in part}
    return Field(
        name=said["name"],
        type=said["type"],
        text=said.get("documentation", ""),
        is_required=said.get("min", 0) > 0,
        is_repeated=said.get("max", "1") != "1",
        allowed=[value_of(part) for part in parts if part["name"] == "allowed"],
        targets=[value_of(part) for part in parts if part["name"] == "target"],
        parts=[_field(part["part"]) for part in parts if part["name"] == "part"],
    )


def _path(url: str) -> str:
    """Keep what stands behind the host: services are called where the portal finds them."""
    return "/" + url.split("/", 3)[3]
