"""What a PUT or a POST of the directory asks of the roster: people, their hours, and rooms.

A resource is sent whole. What the roster has no word for stays as it is, and a body in which it differs is
refused with every such element.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from shared.clinic import Discipline, Hours, Person, Room
from shared.clinic.part import Part
from shared.clinic.roster import SiteRoster
from shared.context import Context
from shared.errors import Invalid, Problem
from shared.fhir import references
from shared.fhir.codes import (
    DISCIPLINE_SYSTEM,
    HOURS_FOR_EXTENSION,
    ROOM_KIND_SYSTEM,
)
from shared.fhir.elements import same

Element = Mapping[str, Any]
Made = TypeVar("Made", bound=Part)
_OURS = frozenset({"id", "meta", "implicitRules", "text"})
# What of each type is changed here; all else differs nowhere.
CHANGED: Mapping[str, frozenset[str]] = {
    "Practitioner": frozenset({"active", "name", "telecom", "qualification"}),
    "PractitionerRole": frozenset({"code", "specialty", "availableTime"}),
    "Location": frozenset({"status", "name", "type"}),
}


def check_same(sent: Element, stored: Element, *, ctx: Context) -> None:
    """Refuse what differs and cannot be changed here; raises Invalid with every such element."""
    kind = str(sent["resourceType"])
    problems = [
        _problem(f"{kind}.{name}", f"{name} cannot be changed here; {_listed(CHANGED[kind])} can")
        for name in sorted((stored.keys() | sent.keys()) - _OURS - CHANGED[kind])
        if not same(stored.get(name), sent.get(name), urls=ctx.urls)
    ]
    if sent.get("id") != stored["id"]:
        problems.append(_problem(f"{kind}.id", "the id in the body and in the address differ"))
    if problems:
        raise Invalid(problems=problems)


def practitioner(roster: SiteRoster, sent: Element, *, id: str) -> SiteRoster:
    """Read a person: a new one with a discipline and an address, another name, or that they left.

    The e-mail address is taken and shown to nobody; without one it stays.
    """
    known = next((person for person in roster.people if person.id == id), None)
    others = [person for person in roster.people if person.id != id]
    if sent.get("active") is False:
        return roster.model_copy(update={"people": tuple(others)})
    written = {} if known is None else known.model_dump(by_alias=True)
    written |= {"id": id, "site": roster.site, **_name(sent)}
    written |= _said("email", _email(sent)) | _said("discipline", _discipline(sent, "qualification"))
    person = _made(Person, written, "Practitioner", {"email": "telecom", "discipline": "qualification"})
    return _with_person(roster, person)


def role(roster: SiteRoster, sent: Element, *, id: str) -> SiteRoster:
    """Read what a person does: the discipline, and the weekly hours with what they are for."""
    person = next((person for person in roster.people if person.id == id), None)
    if person is None:
        raise Invalid("this person has left; make the Practitioner active again first", expression="id")
    discipline = _discipline(sent, "code")
    if discipline is None:
        raise Invalid("says no discipline", expression="PractitionerRole.code")
    hours = [_hours(part, place) for place, part in enumerate(sent.get("availableTime", ()))]
    written = person.model_dump(by_alias=True) | {"discipline": discipline, "hours": hours}
    return _with_person(roster, _made(Person, written, "PractitionerRole", {"discipline": "code"}))


def room(roster: SiteRoster, sent: Element, *, id: str) -> SiteRoster:
    """Read a room: a new one, another name or kind, or that there is none any more."""
    rooms = [dict(one) for one in roster.place["rooms"]]
    known = next((one for one in rooms if one["id"] == id), None)
    if sent.get("status") == "inactive":
        left = [one for one in rooms if one is not known]
        return roster.model_copy(update={"place": roster.place | {"rooms": left}})
    if sent.get("status") not in (None, "active"):
        raise Invalid("a room is active, or inactive once it is gone", expression="Location.status")
    written = {**(known or {}), "id": id, "name": sent.get("name")}
    written |= _said("kind", _code(sent, "type", system=ROOM_KIND_SYSTEM))
    made = _made(Room, written, "Location", {"kind": "type"}).model_dump(mode="json", by_alias=True)
    if known is None:
        rooms.append(made)
    else:
        rooms[rooms.index(known)] = made
    return roster.model_copy(update={"place": roster.place | {"rooms": rooms}})


def check_place(ctx: Context, sent: Element, *, roster: SiteRoster) -> None:
    """Hold a new room against its site; raises Invalid for one elsewhere."""
    of = references.parse(sent.get("partOf", {}).get("reference", ""))
    if (of.type, of.id) != ("Location", roster.site) or not references.is_ours(of, ctx.urls):
        text = f"a room is part of your site, Location/{roster.site}"
        raise Invalid(text, expression="Location.partOf")


Edit = Callable[..., SiteRoster]
EDITS: Mapping[str, Edit] = {"Practitioner": practitioner, "PractitionerRole": role, "Location": room}


def _name(sent: Element) -> dict[str, str]:
    names = sent.get("name") or [{}]
    given = " ".join(names[0].get("given", ()))
    if len(names) > 1 or not given or not names[0].get("family"):
        text = "a person of the clinic has one name, with a family name and given names"
        raise Invalid(text, expression="Practitioner.name")
    return {"family": names[0]["family"], "given": given}


def _email(sent: Element) -> str | None:
    found = sent.get("telecom", ())
    if len(found) > 1 or any(one.get("system") != "email" for one in found):
        raise Invalid("of a colleague one e-mail address is kept", expression="Practitioner.telecom")
    return found[0].get("value") if found else None


def _discipline(sent: Element, member: str) -> str | None:
    return _code(sent, member, system=DISCIPLINE_SYSTEM, values=tuple(Discipline))


def _code(sent: Element, member: str, *, system: str, values: tuple[str, ...] = ()) -> str | None:
    """Read a code of a system; raises Invalid for one that is not among the values."""
    concepts = [one.get("code", one) if member == "qualification" else one for one in sent.get(member, ())]
    codes = [
        coding.get("code")
        for concept in concepts
        for coding in concept.get("coding", ())
        if coding.get("system") == system
    ]
    if len(codes) > 1 or (codes and values and codes[0] not in values):
        text = f"is one code of {system}; allowed are {', '.join(values) or 'codes of rooms'}"
        raise Invalid(text, expression=f"{sent['resourceType']}.{member}")
    return str(codes[0]) if codes else None


def _hours(part: Element, place: int) -> Hours:
    path = f"PractitionerRole.availableTime[{place}]"
    if part.get("allDay") is not None:
        raise Invalid("hours begin and end at times of the wall clock", expression=f"{path}.allDay")
    written: dict[str, Any] = {
        "days": part.get("daysOfWeek", ()),
        "from": part.get("availableStartTime"),
        "to": part.get("availableEndTime"),
    }
    extensions = [one for one in part.get("extension", ()) if one["url"] == HOURS_FOR_EXTENSION]
    if extensions:
        written["for"] = [one.get("valueCode") for one in extensions]
    members = {"days": "daysOfWeek", "from": "availableStartTime", "to": "availableEndTime"}
    hours = _made(Hours, written, path, members)
    if hours.start >= hours.end:
        raise Invalid("hours end after they have begun", expression=f"{path}.availableEndTime")
    return hours


def _made(model: type[Made], written: Mapping[str, Any], path: str, members: Mapping[str, str]) -> Made:
    """Make a part of the roster; raises Invalid that names the element as FHIR does, and what is allowed."""
    try:
        return model.model_validate(written)
    except ValidationError as error:
        problems = [
            _problem(f"{path}.{members.get(str(one['loc'][0]), one['loc'][0])}", one["msg"])
            for one in error.errors()
        ]
        raise Invalid(problems=problems) from error


def _with_person(roster: SiteRoster, person: Person) -> SiteRoster:
    """Put a person into a roster, in the place that they had."""
    known = any(one.id == person.id for one in roster.people)
    people = tuple(person if one.id == person.id else one for one in roster.people)
    return roster.model_copy(update={"people": people if known else (*people, person)})


def _said(name: str, value: str | None) -> dict[str, str]:
    return {} if value is None else {name: value}


def _listed(names: frozenset[str]) -> str:
    *others, last = sorted(names)
    return f"{', '.join(others)} and {last}"


def _problem(expression: str, text: str) -> Problem:
    return Problem(text=text, expression=expression)
