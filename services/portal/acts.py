"""What a person may do with a resource now, as `$available-actions` says: forms are made of it, and calls.

Invariant: a page offers an act only from here, so nothing is offered that the service would not do.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo
from typing import Any

from services.portal import labels
from services.portal.reading import Resource, moment_of

# What a form cannot ask field by field; such acts have pages of their own.
_FOLLOWS = frozenset({"end"})
_CANCELLATION = "http://terminology.hl7.org/CodeSystem/appointment-cancellation-reason"
CANCELLED_BY = ("pat", "prov")
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
        return [one for one in self.fields if not one.is_fixed and one.name not in _FOLLOWS]

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


def body_of(
    act: Act, form: Mapping[str, Sequence[str]], *, current: Resource | None, zone: tzinfo
) -> tuple[dict[str, Any], list[Wrong]]:
    """Make the body of a call from a form: Parameters, or the current resource with what it says changed.

    Dates and times of the form are those of the site's wall clock. What is missing or wrong comes back too.
    """
    values: dict[str, list[Any]] = {}
    wrong: list[Wrong] = []
    for one in act.fields:
        if one.name in _FOLLOWS:
            continue
        given, problems = _values(one, form, prefix="", zone=zone)
        wrong += problems
        if given:
            values[one.name] = given
    if act.kind == "operation":
        fields = {one.name: one for one in act.fields}
        parameters = [_parameter(fields[name], value) for name, many in values.items() for value in many]
        return {"resourceType": "Parameters", **({"parameter": parameters} if parameters else {})}, wrong
    by_name = {one.name: one for one in act.fields}
    changed = {name: many if by_name[name].is_repeated else many[0] for name, many in values.items()}
    return _with_end({**(current or {}), **changed}), wrong


def _with_end(resource: dict[str, Any]) -> dict[str, Any]:
    """Let a visit that begins at another time last as long as before."""
    begins = moment_of(resource.get("start"))
    if "minutesDuration" in resource and begins is not None:
        resource["end"] = (begins + timedelta(minutes=resource["minutesDuration"])).isoformat()
    return resource


def _act(parts: Sequence[Mapping[str, Any]]) -> Act:
    said = {part["name"]: _value(part) for part in parts if "part" not in part}
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
    said = {part["name"]: _value(part) for part in parts if "part" not in part}
    return Field(
        name=said["name"],
        type=said["type"],
        text=said.get("documentation", ""),
        is_required=said.get("min", 0) > 0,
        is_repeated=said.get("max", "1") != "1",
        allowed=[_value(part) for part in parts if part["name"] == "allowed"],
        targets=[_value(part) for part in parts if part["name"] == "target"],
        parts=[_field(part["part"]) for part in parts if part["name"] == "part"],
    )


def _value(part: Mapping[str, Any]) -> Any:
    return next((value for name, value in part.items() if name.startswith("value")), None)


def _path(url: str) -> str:
    """Keep what stands behind the host: services are called where the portal finds them."""
    return "/" + url.split("/", 3)[3]


def _values(
    one: Field, form: Mapping[str, Sequence[str]], *, prefix: str, zone: tzinfo
) -> tuple[list[Any], list[Wrong]]:
    name = f"{prefix}{one.name}"
    if one.is_fixed:
        return [one.allowed[0]], []
    if one.parts:
        return _groups(one, form, name=name, zone=zone)
    given = [text.strip() for text in form.get(name, ()) if text.strip()]
    if not given:
        return [], ([Wrong(name=name, text=labels.NEEDED)] if one.is_required else [])
    values: list[Any] = []
    wrong = []
    if one.name == "cancelationReason":
        return _cancellation(given[0], form, name=name)
    for text in given:
        try:
            values.append(_typed(one, text, zone=zone))
        except ValueError as refused:
            wrong.append(Wrong(name=name, text=str(refused)))
    return values, wrong


def _cancellation(
    text: str, form: Mapping[str, Sequence[str]], *, name: str
) -> tuple[list[Any], list[Wrong]]:
    """Read whose doing a cancellation is, by HL7's code, and the words."""
    code = next(iter(form.get(f"{name}.code", ())), "")
    if code not in CANCELLED_BY:
        return [], [Wrong(name=f"{name}.code", text=labels.NEEDED)]
    return [{"coding": [{"system": _CANCELLATION, "code": code}], "text": text}], []


def _groups(
    one: Field, form: Mapping[str, Sequence[str]], *, name: str, zone: tzinfo
) -> tuple[list[Any], list[Wrong]]:
    """Read the repeats of an element of parts, `action.0.owner`; one that is all empty is not meant."""
    values, wrong = [], []
    for number in sorted(_numbers(form, name)):
        prefix = f"{name}.{number}."
        if not any(text.strip() for key, texts in form.items() if key.startswith(prefix) for text in texts):
            continue
        group = []
        for part in one.parts:
            given, problems = _values(part, form, prefix=prefix, zone=zone)
            wrong += problems
            group += [_parameter(part, value) for value in given]
        values.append(group)
    if one.is_required and not values:
        wrong.append(Wrong(name=name, text=labels.NEEDED))
    return values, wrong


def _numbers(form: Mapping[str, Sequence[str]], name: str) -> Iterator[int]:
    numbers = {key.split(".")[1] for key in form if key.startswith(f"{name}.") and key.count(".") == 2}
    yield from (int(number) for number in numbers if number.isdecimal())


def _typed(one: Field, text: str, *, zone: tzinfo) -> Any:
    if one.allowed and text not in one.allowed:
        raise ValueError(labels.NOT_LISTED)
    if one.type == "CodeableConcept":
        return {"text": text}
    if one.type == "Annotation":
        return {"text": text}
    if one.type == "Reference":
        return {"reference": text}
    if one.type == "boolean":
        return text in ("true", "on")
    if one.type == "date":
        return _day(text).isoformat()
    if one.type in ("instant", "dateTime"):
        return _instant(text, zone=zone)
    return text


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(labels.DAY_AS) from None


def _instant(text: str, *, zone: tzinfo) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(labels.TIME_AS) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).isoformat()


def _parameter(one: Field, value: Any) -> dict[str, Any]:
    if one.parts:
        return {"name": one.name, "part": value}
    return {"name": one.name, f"value{one.type[0].upper()}{one.type[1:]}": value}
