"""What a resource of the directory is searched by, read out of the resource itself."""

from collections.abc import Iterator, Mapping
from typing import Any

from shared.fhir.references import local_id

Element = Mapping[str, Any]


def read(resource: Element) -> dict[str, Any]:
    """Return the columns of a resource by their names in `DirectoryResource`."""
    name = resource.get("name")
    people = [name] if isinstance(name, dict) else name if isinstance(name, list) else []
    place = resource.get("location", ())
    return {
        "name": " ".join(_names(people)) if people else name,
        "family": next((one["family"] for one in people if "family" in one), None),
        "given": next((" ".join(one["given"]) for one in people if "given" in one), None),
        "identifiers": [
            f"{one.get('system', '')}|{one['value']}"
            for one in resource.get("identifier", ())
            if "value" in one
        ],
        "status": _status(resource),
        "organization": _named(resource, "organization", "providedBy", "managingOrganization"),
        "practitioner": _named(resource, "practitioner"),
        "part_of": _named(resource, "partOf"),
        "locations": [local_id(one) for one in place],
        "services": [local_id(one) for one in resource.get("healthcareService", ())],
        "specialties": list(_codes(resource, "specialty")),
        "categories": list(_codes(resource, "category")),
        "codes": [*_codes(resource, "type"), *_codes(resource, "code")],
        "characteristics": list(_codes(resource, "characteristic")),
    }


def _names(people: list[Element]) -> Iterator[str]:
    for name in people:
        yield from name.get("given", ())
        if "family" in name:
            yield name["family"]


def _status(resource: Element) -> str | None:
    """Read `active`, of a Location `status`."""
    if "active" in resource:
        return "true" if resource["active"] else "false"
    status: str | None = resource.get("status")
    return status


def _named(resource: Element, *members: str) -> str | None:
    return next((local_id(resource[member]) for member in members if member in resource), None)


def _codes(resource: Element, member: str) -> Iterator[str]:
    for concept in resource.get(member, ()):
        yield from (coding["code"] for coding in concept.get("coding", ()) if "code" in coding)
