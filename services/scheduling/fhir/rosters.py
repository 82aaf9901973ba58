"""The roster of a site: for the other services a Basic that holds it as clinic.yaml has it, and as its
coordinators look at it.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from services.scheduling.fhir import unavailable as slots
from services.scheduling.models.rows import UnavailableTime
from shared.clinic import Clinic, Person, Site
from shared.context import Context
from shared.fhir.codes import ROSTER_EXTENSION, ROSTER_SYSTEM
from shared.fhir.elements import coded, directory_reference
from shared.fhir.instants import instant, to_the_second
from shared.roster.rows import RosterRow


def render(ctx: Context, row: RosterRow) -> dict[str, Any]:
    """Write a roster; it has the addresses of colleagues and no reason of an absence."""
    return {
        "resourceType": "Basic",
        "id": row.site,
        "meta": {"versionId": str(row.revision), "lastUpdated": instant(row.changed_at)},
        "extension": [{"url": ROSTER_EXTENSION, "valueString": msgspec.json.encode(row.document).decode()}],
        "code": coded(ROSTER_SYSTEM, "site-roster"),
        "subject": directory_reference(ctx.clinic, f"Location/{row.site}"),
    }


def describe(clinic: Clinic, site: Site, *, unavailable: Sequence[UnavailableTime]) -> dict[str, Any]:
    """Write the roster of a site with these absences and closed days, and why."""
    people = [person for person in clinic.people if person.site == site.id]
    return {
        "site": {"id": site.id, "name": site.name},
        "people": [_person(person, unavailable) for person in people],
        "rooms": [room.model_dump(mode="json") for room in site.rooms],
        "closed": [_unavailable(row) for row in unavailable if row.person is None],
        "programmes": [{"id": one.id, "name": one.name} for one in clinic.programmes if one.site == site.id],
    }


def _person(person: Person, unavailable: Sequence[UnavailableTime]) -> dict[str, Any]:
    return {
        "id": person.id,
        "name": f"{person.given} {person.family}",
        "discipline": person.discipline,
        "offered": person.offered.model_dump(mode="json", by_alias=True),
        "hours": [hours.model_dump(mode="json", by_alias=True) for hours in person.hours],
        "absences": [_unavailable(row) for row in unavailable if row.person == person.id],
    }


def _unavailable(row: UnavailableTime) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "start": to_the_second(row.starts_at),
        "end": to_the_second(row.ends_at),
        "comment": slots.comment_of(row),
    }
