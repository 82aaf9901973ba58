"""What a PUT or a POST asks of the people in the roster: who they are, and when they work for what."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from shared.clinic import Discipline, Hours, Person
from shared.clinic.part import Part
from shared.clinic.roster import SiteRoster
from shared.errors import Invalid, Problem
from shared.fhir.codes import (
    DISCIPLINE_SYSTEM,
    HOURS_FOR_EXTENSION,
    HOURS_KEPT_EXTENSION,
    LANGUAGES,
    RELEASE_EXTENSION,
)

Element = Mapping[str, Any]
Made = TypeVar("Made", bound=Part)


def practitioner(roster: SiteRoster, sent: Element, *, id: str) -> SiteRoster:
    """Read a person: a new one with a discipline and an address, another name, or that they left.

    The e-mail address is taken and shown to nobody; without one it stays.
    """
    known = next((person for person in roster.people if person.id == id), None)
    others = [person for person in roster.people if person.id != id]
    if sent.get("active") is False:
        return roster.model_copy(update={"people": tuple(others)})
    written = {} if known is None else known.model_dump(by_alias=True)
    written |= {"id": id, "site": roster.site, **_name(sent), "languages": _languages(sent)}
    written |= said("email", _email(sent)) | said("discipline", _discipline(sent, "qualification"))
    person = made(
        Person,
        written,
        "Practitioner",
        {"email": "telecom", "discipline": "qualification", "languages": "communication"},
    )
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
    return _with_person(roster, made(Person, written, "PractitionerRole", {"discipline": "code"}))


def _name(sent: Element) -> dict[str, str]:
    names = sent.get("name") or [{}]
    given = " ".join(names[0].get("given", ()))
    if len(names) > 1 or not given or not names[0].get("family"):
        text = "a person of the clinic has one name, with a family name and given names"
        raise Invalid(text, expression="Practitioner.name")
    return {"family": names[0]["family"], "given": given}


def _languages(sent: Element) -> list[Any]:
    codings = [one for concept in sent.get("communication", ()) for one in concept.get("coding", ())]
    return [coding.get("code") for coding in codings if coding.get("system") == LANGUAGES]


def _email(sent: Element) -> str | None:
    found = sent.get("telecom", ())
    if len(found) > 1 or any(one.get("system") != "email" for one in found):
        raise Invalid("of a colleague one e-mail address is kept", expression="Practitioner.telecom")
    return found[0].get("value") if found else None


def _discipline(sent: Element, member: str) -> str | None:
    return code_of(sent, member, system=DISCIPLINE_SYSTEM, values=tuple(Discipline))


def code_of(sent: Element, member: str, *, system: str, values: tuple[str, ...] = ()) -> str | None:
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
    extensions = part.get("extension", ())
    if purposes := [one.get("valueCode") for one in extensions if one["url"] == HOURS_FOR_EXTENSION]:
        written["for"] = purposes
    if kept := [one.get("valueCode") for one in extensions if one["url"] == HOURS_KEPT_EXTENSION]:
        written["programmes"] = kept
    if released := [one.get("valueInteger") for one in extensions if one["url"] == RELEASE_EXTENSION]:
        written["release_days"] = released[-1]
    members = {"days": "daysOfWeek", "from": "availableStartTime", "to": "availableEndTime"}
    members |= dict.fromkeys(("for", "programmes", "release_days"), "extension")
    hours = made(Hours, written, path, members)
    if hours.start >= hours.end:
        raise Invalid("hours end after they have begun", expression=f"{path}.availableEndTime")
    return hours


def made(model: type[Made], written: Mapping[str, Any], path: str, members: Mapping[str, str]) -> Made:
    """Make a part of the roster; raises Invalid that names the element as FHIR does, and what is allowed."""
    try:
        return model.model_validate(written)
    except ValidationError as error:
        problems = [
            problem(f"{path}.{members.get(str(one['loc'][0]), one['loc'][0])}", one["msg"])
            for one in error.errors()
        ]
        raise Invalid(problems=problems) from error


def _with_person(roster: SiteRoster, person: Person) -> SiteRoster:
    """Put a person into a roster, in the place that they had."""
    known = any(one.id == person.id for one in roster.people)
    people = tuple(person if one.id == person.id else one for one in roster.people)
    return roster.model_copy(update={"people": people if known else (*people, person)})


def said(name: str, value: str | None) -> dict[str, str]:
    """Name a value, where one was given."""
    return {} if value is None else {name: value}


def problem(expression: str, text: str) -> Problem:
    """Say what is wrong with an element."""
    return Problem(text=text, expression=expression)
