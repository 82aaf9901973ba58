"""The directory of the clinic, rendered from what the clinic is now: who and what our references name.

Ids are those of clinic.yaml and the rosters. It holds what a referrer, an insurer or a colleague needs to
know: no e-mail of a person, no absence, and of other practices nothing but their names.
"""

from collections.abc import Iterator
from typing import Any

from services.scheduling.fhir import programmes, roster_members, schedules
from shared.clinic import Clinic, Person, Room, Site
from shared.fhir.codes import DISCIPLINE_SYSTEM, LANGUAGES, ORGANIZATION_TYPE_SYSTEM, ROOM_KIND_SYSTEM
from shared.fhir.elements import coded, directory_reference

_PHYSICAL_TYPE = "http://terminology.hl7.org/CodeSystem/location-physical-type"


def render(clinic: Clinic) -> Iterator[dict[str, Any]]:
    """Render every resource of the directory, without `meta`."""
    yield from _organizations(clinic)
    for site in clinic.sites:
        yield _site(clinic, site)
        yield from (_room(clinic, site, room) for room in site.rooms)
    for person in clinic.people:
        yield _practitioner(person)
        yield _role(clinic, person)
    for programme in clinic.programmes:
        yield programmes.render(clinic, programme)


def withdrawn(resource: dict[str, Any]) -> dict[str, Any]:
    """Render a resource that the clinic no longer names: it stays, and is inactive."""
    of_status = {"status": "inactive"} if resource["resourceType"] == "Location" else {"active": False}
    return {**{name: value for name, value in resource.items() if name != "meta"}, **of_status}


def _organizations(clinic: Clinic) -> Iterator[dict[str, Any]]:
    yield {
        **_organization(clinic.id, clinic.name, kind="prov"),
        "telecom": [{"system": "email", "value": clinic.email, "use": "work"}],
    }
    for payer in clinic.payers:
        identifiers = [
            dict(zip(("system", "value"), one.split("|", 1), strict=True)) for one in payer.identifiers
        ]
        yield {
            **_organization(payer.id, payer.name, kind="pay"),
            "identifier": [{name: text for name, text in one.items() if text} for one in identifiers],
        }
    for practice in clinic.organizations:
        yield _organization(practice.id, practice.name, kind="prov")


def _organization(id: str, name: str, *, kind: str) -> dict[str, Any]:
    return {
        "resourceType": "Organization",
        "id": id,
        "active": True,
        "type": [coded(ORGANIZATION_TYPE_SYSTEM, kind)],
        "name": name,
    }


def _site(clinic: Clinic, site: Site) -> dict[str, Any]:
    said = list(roster_members.of_site(site))
    return {
        **_location(clinic, site.id, site.name, physical="si"),
        **({"extension": said} if said else {}),
    }


def _room(clinic: Clinic, site: Site, room: Room) -> dict[str, Any]:
    said = list(roster_members.of_room(room))
    return {
        **_location(clinic, room.id, room.name, physical="ro"),
        **({"extension": said} if said else {}),
        "type": [coded(ROOM_KIND_SYSTEM, room.kind)],
        "partOf": directory_reference(clinic, f"Location/{site.id}"),
    }


def _location(clinic: Clinic, id: str, name: str, *, physical: str) -> dict[str, Any]:
    return {
        "resourceType": "Location",
        "id": id,
        "status": "active",
        "name": name,
        "mode": "instance",
        "physicalType": coded(_PHYSICAL_TYPE, physical),
        "managingOrganization": directory_reference(clinic, f"Organization/{clinic.id}"),
    }


def _practitioner(person: Person) -> dict[str, Any]:
    spoken = [coded(LANGUAGES, language) for language in person.languages]
    return {
        "resourceType": "Practitioner",
        "id": person.id,
        "active": True,
        "name": [
            {"family": person.family, "given": [person.given], "text": f"{person.given} {person.family}"}
        ],
        **({"communication": spoken} if spoken else {}),
    }


def _role(clinic: Clinic, person: Person) -> dict[str, Any]:
    """Render what a person does: a discipline at a site, for the programmes whose teams have it there."""
    site = clinic.site(person.site)
    services = [
        directory_reference(clinic, f"HealthcareService/{programme.id}")
        for programme in clinic.programmes
        if programme.site == person.site and person.discipline in programme.team
    ]
    hours = [programmes.with_purpose(part) for part in person.hours]
    return {
        "resourceType": "PractitionerRole",
        "id": person.id,
        **schedules.as_extension(person.offered),
        "active": True,
        "practitioner": directory_reference(clinic, f"Practitioner/{person.id}"),
        "organization": directory_reference(clinic, f"Organization/{clinic.id}"),
        "code": [coded(DISCIPLINE_SYSTEM, person.discipline)],
        "specialty": [coded(DISCIPLINE_SYSTEM, person.discipline)],
        "location": [directory_reference(clinic, f"Location/{site.id}")],
        **({"healthcareService": services} if services else {}),
        **({"availableTime": hours} if hours else {}),
    }
