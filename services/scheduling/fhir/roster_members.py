"""Parts of the roster that FHIR has no element for, as extensions: each member by its name in clinic.yaml.

A part is an extension whose parts are its members: `element` says which of the roster it is, a list comes
as one part for each value. So a member that is new in the description is read and written without a word
here.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, get_args, get_origin

from shared.clinic import Programme, Room, Site
from shared.clinic.part import Part
from shared.clinic.roster import roster_names
from shared.errors import Invalid
from shared.fhir.codes import PLACE_EXTENSION, VISIT_EXTENSION
from shared.fhir.values import value_of

Element = Mapping[str, Any]
PROGRAMME_MEMBERS = roster_names(Programme)
PLACE_MEMBERS = [name for name in roster_names(Site) if name not in ("rooms", "closed")]
ROOM_MEMBERS = [name for name in Room.model_fields if name not in ("id", "name", "kind")]
_ELEMENT = "element"
_KINDS: tuple[tuple[type, str], ...] = (
    (bool, "valueBoolean"),
    (int, "valueInteger"),
    (float, "valueDecimal"),
)


def of_programme(programme: Programme) -> Iterator[dict[str, Any]]:
    """Write what the visits of a programme need."""
    return write(VISIT_EXTENSION, _written(programme, PROGRAMME_MEMBERS))


def of_site(site: Site) -> Iterator[dict[str, Any]]:
    """Write what a site has beside rooms and closed days, which have resources of their own."""
    return write(PLACE_EXTENSION, _written(site, PLACE_MEMBERS))


def of_room(room: Room) -> Iterator[dict[str, Any]]:
    """Write what a room has beside its name and kind."""
    return write(PLACE_EXTENSION, {"room": more} if (more := _written(room, ROOM_MEMBERS)) else {})


def room_members(extensions: Iterable[Element]) -> dict[str, Any]:
    """Read what a room has beside its name and kind."""
    found = [list(one.get("extension", ())) for one in extensions if one.get("url") == PLACE_EXTENSION]
    return _part((part for parts in found for part in parts), Room)


def write(url: str, members: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Write the parts of a roster, as JSON has them; a list is a part for each of its values."""
    for name, value in members.items():
        for part in value if isinstance(value, list | tuple) else [value]:
            if part is not None:
                said = [{"url": _ELEMENT, "valueCode": name}]
                yield {"url": url, "extension": [*said, *_members(part)]}


def read(
    extensions: Iterable[Element], *, url: str, model: type[Part], names: Iterable[str]
) -> dict[str, Any]:
    """Read the parts again, as a model's members of these names; what is not there is None or empty.

    Raises Invalid for an element that there is not.
    """
    known = {name: model.model_fields[name].annotation for name in names}
    found: dict[str, Any] = {name: [] if get_origin(kind) is tuple else None for name, kind in known.items()}
    for extension in extensions:
        if extension.get("url") != url:
            continue
        parts = list(extension.get("extension", ()))
        name = next((one.get("valueCode") for one in parts if one.get("url") == _ELEMENT), None)
        if name not in known:
            text = f"{_ELEMENT} is one of {', '.join(sorted(known))}"
            raise Invalid(text, expression="extension")
        part = _part(parts, _model_in(known[name]))
        if isinstance(found[name], list):
            found[name].append(part)
        else:
            found[name] = part
    return found


def _written(part: Part, names: Iterable[str]) -> dict[str, Any]:
    return part.model_dump(mode="json", by_alias=True, include=set(names), exclude_defaults=True)


def _members(part: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for name, value in part.items():
        for one in value if isinstance(value, list | tuple) else [value]:
            if one is not None:
                yield {"url": name, _kind_of(one): one}


def _kind_of(value: Any) -> str:
    return next((name for kind, name in _KINDS if isinstance(value, kind)), "valueString")


def _part(parts: Iterable[Element], model: type[Part]) -> dict[str, Any]:
    lists = {
        field.alias or name
        for name, field in model.model_fields.items()
        if get_origin(field.annotation) is tuple
    }
    found: dict[str, Any] = {}
    for part in parts:
        name = str(part.get("url"))
        if name == _ELEMENT:
            continue
        value = value_of(part)
        if name in lists:
            found.setdefault(name, []).append(value)
        else:
            found[name] = value
    return found


def _model_in(annotation: Any) -> type[Part]:
    """Find the model in an annotation such as `Sessions | None` or `tuple[VisitType, ...]`."""
    if isinstance(annotation, type) and issubclass(annotation, Part):
        return annotation
    inner = [one for one in get_args(annotation) if one is not type(None) and one is not Ellipsis]
    return _model_in(inner[0])
