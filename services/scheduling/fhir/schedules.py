"""A clinician's calendar as a Schedule: whether and between which days new visits are booked into it.

- It shows what the PractitionerRole of the person keeps (an extension there), and has its version.
- `active` and `planningHorizon` are changed here alone; when somebody works is the PractitionerRole's.
- A site's Schedule is where its closed days stand; nothing of it is changed.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

import msgspec

from services.scheduling.fhir import roster_people
from shared.clinic import Clinic, Offer, Person, Site
from shared.clinic.roster import SiteRoster
from shared.context import Context
from shared.directory.rows import DirectoryResource
from shared.errors import Invalid
from shared.fhir.codes import DISCIPLINE_SYSTEM, OFFER_EXTENSION
from shared.fhir.elements import coded, directory_reference, same

_CHANGED = frozenset({"active", "planningHorizon"})
_OURS = frozenset({"id", "meta", "implicitRules", "text"})


def as_extension(offered: Offer) -> dict[str, Any]:
    """Write it for the PractitionerRole; nothing where new visits are always booked."""
    said = offered.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    names = {"active": "valueBoolean", "from": "valueDate", "to": "valueDate"}
    parts = [{"url": name, kind: said[name]} for name, kind in names.items() if said.get(name) is not None]
    return {"extension": [{"url": OFFER_EXTENSION, "extension": parts}]} if parts else {}


def of_person(person: Person, *, clinic: Clinic, role: DirectoryResource | None) -> dict[str, Any]:
    """Write a clinician's calendar with the version of the PractitionerRole that keeps it."""
    meta = None if role is None else msgspec.json.decode(role.body).get("meta")
    days = {"start": person.offered.start, "end": person.offered.end}
    horizon = {name: day.isoformat() for name, day in days.items() if day is not None}
    return {
        "resourceType": "Schedule",
        "id": person.id,
        **({} if meta is None else {"meta": meta}),
        "active": person.offered.active,
        "specialty": [coded(DISCIPLINE_SYSTEM, person.discipline)],
        "actor": [directory_reference(clinic, f"Practitioner/{person.id}")],
        **({"planningHorizon": horizon} if horizon else {}),
    }


def of_site(site: Site, *, clinic: Clinic) -> dict[str, Any]:
    """Write the calendar of a site, in which its closed days stand."""
    return {
        "resourceType": "Schedule",
        "id": site.id,
        "active": True,
        "actor": [directory_reference(clinic, f"Location/{site.id}")],
    }


def edited(
    ctx: Context, roster: SiteRoster, sent: Mapping[str, Any], *, person: Person, today: date
) -> SiteRoster:
    """Return a roster in which a person's Schedule is as it was sent; raises Invalid."""
    stands = of_person(person, clinic=ctx.clinic, role=None)
    problems = [
        roster_people.problem(
            f"Schedule.{name}",
            f"{name} cannot be changed here; active and planningHorizon can, weekly hours and discipline"
            f" by PUT PractitionerRole/{person.id}, absences by Slot",
        )
        for name in sorted((sent.keys() | stands.keys()) - _OURS - _CHANGED)
        if not same(stands.get(name), sent.get(name), urls=ctx.urls)
    ]
    if sent.get("id") != person.id:
        problems.append(roster_people.problem("Schedule.id", "the id in the body and in the address differ"))
    if problems:
        raise Invalid(problems=problems)
    offered = _offer(sent)
    if offered != person.offered and offered.end is not None and offered.end < today:
        text = "these days are over; `active` false says that no new visit is booked"
        raise Invalid(text, expression="Schedule.planningHorizon.end")
    people = tuple(
        one.model_copy(update={"offered": offered}) if one.id == person.id else one for one in roster.people
    )
    return roster.model_copy(update={"people": people})


def _offer(sent: Mapping[str, Any]) -> Offer:
    horizon = sent.get("planningHorizon") or {}
    written = {"active": sent.get("active", True), "from": _day(horizon, "start"), "to": _day(horizon, "end")}
    members = {"from": "planningHorizon.start", "to": "planningHorizon.end"}
    return roster_people.made(Offer, written, "Schedule", members)


def _day(horizon: Mapping[str, Any], name: str) -> str | None:
    """Read a bound, which is a whole local day of the site."""
    text = horizon.get(name)
    if text is not None and len(str(text)) != len("2026-03-02"):
        raise Invalid(
            "is a day such as 2026-03-02: hours are offered for whole days of the site",
            expression=f"Schedule.planningHorizon.{name}",
        )
    return None if text is None else str(text)
