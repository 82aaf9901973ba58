"""What a PUT or a POST of the directory asks of the roster: people, hours, rooms, and what visits need.

A resource is sent whole. What the roster has no word for stays as it is, and a body in which it differs is
refused with every such element.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from services.scheduling.fhir import roster_members, roster_people
from shared.clinic import Clinic, Programme, Room, Site
from shared.clinic.part import Part
from shared.clinic.roster import SiteRoster
from shared.context import Context
from shared.errors import Invalid
from shared.fhir import references
from shared.fhir.codes import (
    PLACE_EXTENSION,
    ROOM_KIND_SYSTEM,
    VISIT_EXTENSION,
)
from shared.fhir.elements import same

Element = Mapping[str, Any]
_OURS = frozenset({"id", "meta", "implicitRules", "text"})
# What of each type is changed here; all else differs nowhere.
CHANGED: Mapping[str, frozenset[str]] = {
    "Practitioner": frozenset({"active", "name", "telecom", "qualification", "communication"}),
    "PractitionerRole": frozenset({"code", "specialty", "availableTime"}),
    "Location": frozenset({"status", "name", "type"}),
    "HealthcareService": frozenset(),
    "Site": frozenset(),
}
# Extensions that are changed here; all others differ nowhere.
_EXTENSIONS = {
    "HealthcareService": VISIT_EXTENSION,
    "Site": PLACE_EXTENSION,
    "Location": PLACE_EXTENSION,
}


def kind_of(stored: Element) -> str:
    """Tell what of the roster a resource is: its type, or `Site` for the Location of a site."""
    kind = str(stored["resourceType"])
    return "Site" if kind == "Location" and "partOf" not in stored else kind


def check_same(sent: Element, stored: Element, *, ctx: Context) -> None:
    """Refuse what differs and cannot be changed here; raises Invalid with every such element."""
    kind, type_ = kind_of(stored), str(sent["resourceType"])
    url = _EXTENSIONS.get(kind)
    before, now = ({**one, "extension": _others(one, url)} for one in (stored, sent))
    can = _listed(CHANGED[kind]) if CHANGED[kind] else f"the extension {url}"
    problems = [
        roster_people.problem(f"{type_}.{name}", f"{name} cannot be changed here; {can} can")
        for name in sorted((before.keys() | now.keys()) - _OURS - CHANGED[kind])
        if not same(before.get(name), now.get(name), urls=ctx.urls)
    ]
    if sent.get("id") != stored["id"]:
        problems.append(roster_people.problem(f"{type_}.id", "the id in the body and in the address differ"))
    if problems:
        raise Invalid(problems=problems)


def room(roster: SiteRoster, sent: Element, *, id: str) -> SiteRoster:
    """Read a room: a new one, another name or kind, or that there is none any more."""
    rooms = [dict(one) for one in roster.place["rooms"]]
    known = next((one for one in rooms if one["id"] == id), None)
    if sent.get("status") == "inactive":
        left = [one for one in rooms if one is not known]
        return roster.model_copy(update={"place": roster.place | {"rooms": left}})
    if sent.get("status") not in (None, "active"):
        raise Invalid("a room is active, or inactive once it is gone", expression="Location.status")
    more = roster_members.room_members(sent.get("extension", ()))
    written = {"id": id, "name": sent.get("name"), **more}
    written |= roster_people.said("kind", roster_people.code_of(sent, "type", system=ROOM_KIND_SYSTEM))
    made = roster_people.made(Room, written, "Location", {"kind": "type"}).model_dump(
        mode="json", by_alias=True
    )
    if known is None:
        rooms.append(made)
    else:
        rooms[rooms.index(known)] = made
    return roster.model_copy(update={"place": roster.place | {"rooms": rooms}})


def visits(roster: SiteRoster, sent: Element, *, id: str, clinic: Clinic) -> SiteRoster:
    """Read what the visits of a programme need."""
    names = roster_members.PROGRAMME_MEMBERS
    said = roster_members.read(sent.get("extension", ()), url=VISIT_EXTENSION, model=Programme, names=names)
    of_one = _checked(clinic.programme(id), said, names, path="HealthcareService.extension")
    return roster.model_copy(update={"programmes": roster.programmes | {id: of_one}})


def place(roster: SiteRoster, sent: Element, *, id: str, clinic: Clinic) -> SiteRoster:
    """Read what a site has beside rooms and closed days."""
    names = roster_members.PLACE_MEMBERS
    said = roster_members.read(sent.get("extension", ()), url=PLACE_EXTENSION, model=Site, names=names)
    return roster.model_copy(
        update={"place": roster.place | _checked(clinic.site(id), said, names, path="Location.extension")}
    )


def _checked(part: Part, said: Mapping[str, Any], names: Iterable[str], *, path: str) -> dict[str, Any]:
    """Hold members against the part that they would be of, and give them as JSON has them."""
    written = part.model_dump(by_alias=True) | dict(said)
    try:
        made = type(part).model_validate(written)
    except ValidationError as error:
        problems = [
            roster_people.problem(path, f"{'.'.join(str(step) for step in one['loc'])}: {one['msg']}")
            for one in error.errors()
        ]
        raise Invalid(problems=problems) from error
    whole = made.model_dump(mode="json", by_alias=True)
    return {name: whole[name] for name in names}


def _others(resource: Element, url: str | None) -> list[Element] | None:
    """Give the extensions of a resource but those that are changed here."""
    found = [one for one in resource.get("extension", ()) if one.get("url") != url]
    return found or None


def check_place(ctx: Context, sent: Element, *, roster: SiteRoster) -> None:
    """Hold a new room against its site; raises Invalid for one elsewhere."""
    of = references.parse(sent.get("partOf", {}).get("reference", ""))
    if (of.type, of.id) != ("Location", roster.site) or not references.is_ours(of, ctx.urls):
        text = f"a room is part of your site, Location/{roster.site}"
        raise Invalid(text, expression="Location.partOf")


def edited(roster: SiteRoster, sent: Element, *, kind: str, id: str, clinic: Clinic) -> SiteRoster:
    """Return a roster with what was sent of one of its parts; raises Invalid."""
    match kind:
        case "Practitioner":
            return roster_people.practitioner(roster, sent, id=id)
        case "PractitionerRole":
            return roster_people.role(roster, sent, id=id)
        case "HealthcareService":
            return visits(roster, sent, id=id, clinic=clinic)
        case "Site":
            return place(roster, sent, id=id, clinic=clinic)
        case _:
            return room(roster, sent, id=id)


def _listed(names: frozenset[str]) -> str:
    *others, last = sorted(names)
    return f"{', '.join(others)} and {last}"
