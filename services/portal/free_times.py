"""Free times on a page: those that `$find` proposes, and the Appointment that asks for the chosen one."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from services.portal.calls import Answer, resources
from services.portal.picked import Picked
from services.portal.reading import Resource, id_of, shown
from shared.fhir.codes import APPOINTMENT_KIND_SYSTEM, VISIT_TYPE_SYSTEM

FIRST = "first"
# What every programme calls by its kind; the other visits have names.
ELEMENTS = {FIRST: FIRST, "sessions": "session"}
_SWITCHES = ("same-clinician", "wheelchair")


def wanted(
    *,
    start: datetime,
    end: datetime,
    visit: str,
    referral: str,
    picked: Picked,
    narrowed: Mapping[str, str],
    at_most: int,
) -> dict[str, Any]:
    """Write what `$find` is to look for: times of a visit, with whom and where, and narrowed."""
    named = {"referral": f"ServiceRequest/{referral}"}
    named |= {"practitioner": f"Practitioner/{picked.clinician}"} if picked.clinician else {}
    named |= {"location": f"Location/{picked.room}"} if picked.room else {}
    asked: list[dict[str, Any]] = [
        {"name": "start", "valueDateTime": start.isoformat()},
        {"name": "end", "valueDateTime": end.isoformat()},
        {"name": "visit-type", "valueCode": visit},
        {"name": "_count", "valueInteger": at_most},
        *({"name": name, "valueReference": {"reference": one}} for name, one in named.items()),
        *({"name": name, "valueBoolean": True} for name in _SWITCHES if narrowed.get(name)),
    ]
    if language := narrowed.get("speaks"):
        asked.append({"name": "language", "valueCode": language})
    return {"resourceType": "Parameters", "parameter": asked}


def listed(found: Answer) -> list[Mapping[str, Any]]:
    """Give the times that were found, each with what a form sends when it is chosen."""
    return [
        {
            "value": _value(one),
            "start": one["start"],
            "end": one["end"],
            "with": [shown(actor) for actor in _actors(one, "Practitioner")],
            "room": next((shown(actor) for actor in _actors(one, "Location")), ""),
        }
        for one in resources(found, "Appointment") or ()
    ]


def value_of(start: str, end: str, people: str, rooms: str) -> str:
    """Write what is chosen of a time: its start and end, who, and where."""
    return "|".join((start, end, people, rooms))


def appointment(value: str, *, visit: str, referral: str) -> dict[str, Any] | None:
    """Make the Appointment that is asked for from the time that was chosen; None where none was."""
    parts = value.split("|")
    if len(parts) != 4 or not visit:
        return None
    start, end, people, rooms = parts
    named = [f"Practitioner/{one}" for one in people.split(",") if one]
    named += [f"Location/{one}" for one in rooms.split(",") if one]
    kind = {"appointmentType": {"coding": [{"system": APPOINTMENT_KIND_SYSTEM, "code": visit}]}}
    typed = {"serviceType": [{"coding": [{"system": VISIT_TYPE_SYSTEM, "code": visit}]}]}
    return {
        "resourceType": "Appointment",
        "status": "proposed",
        **(kind if visit in ELEMENTS.values() else typed),
        "start": start,
        "end": end,
        "basedOn": [{"reference": f"ServiceRequest/{referral}"}],
        "participant": [{"actor": {"reference": one}, "status": "needs-action"} for one in named],
    }


def _value(one: Resource) -> str:
    people = ",".join(id_of(actor) for actor in _actors(one, "Practitioner"))
    rooms = ",".join(id_of(actor) for actor in _actors(one, "Location"))
    return value_of(one["start"], one["end"], people, rooms)


def _actors(one: Resource, resource_type: str) -> list[Mapping[str, Any]]:
    named = [part.get("actor", {}) for part in one.get("participant", ())]
    return [actor for actor in named if f"{resource_type}/" in actor.get("reference", "")]
