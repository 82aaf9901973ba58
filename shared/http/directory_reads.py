"""Reads and searches of the clinic's directory, the same in every service that keeps it."""

from collections.abc import Callable, Mapping
from typing import Any

from fastapi import APIRouter

from shared.directory import rows
from shared.directory.rows import COLUMNS, TYPES
from shared.fhir.codes import (
    DISCIPLINE_SYSTEM,
    ELIGIBILITY_SYSTEM,
    ORGANIZATION_TYPE_SYSTEM,
    PROGRAMME_SYSTEM,
    SERVICE_CATEGORY_SYSTEM,
)
from shared.fhir.search import Include, Params, SearchParam
from shared.fhir.status_systems import STATUS_SYSTEMS
from shared.http.resources import RowRule, add_reads

ROWS = "the clinic's directory, the same for everybody; nothing in it is about a patient"

# `active` is a boolean, which is searched by the codes of this system (R4 search.html 3.1.1.4.10).
_BOOLEAN = "http://hl7.org/fhir/special-values"
# The references of each type, by their search parameters: the column, and what it refers to.
_REFERENCES: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "Organization": {},
    "Location": {"organization": ("organization", "Organization"), "partof": ("part_of", "Location")},
    "Practitioner": {},
    "PractitionerRole": {
        "practitioner": ("practitioner", "Practitioner"),
        "organization": ("organization", "Organization"),
        "location": ("locations", "Location"),
        "service": ("services", "HealthcareService"),
    },
    "HealthcareService": {
        "organization": ("organization", "Organization"),
        "location": ("locations", "Location"),
    },
}
# The codings of each type, by their search parameters: the column, and the code system.
_CODINGS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "Organization": {"type": ("codes", ORGANIZATION_TYPE_SYSTEM)},
    "Location": {},
    "Practitioner": {},
    "PractitionerRole": {
        "role": ("codes", DISCIPLINE_SYSTEM),
        "specialty": ("specialties", DISCIPLINE_SYSTEM),
    },
    "HealthcareService": {
        "service-category": ("categories", SERVICE_CATEGORY_SYSTEM),
        "service-type": ("codes", PROGRAMME_SYSTEM),
        "specialty": ("specialties", DISCIPLINE_SYSTEM),
        "characteristic": ("characteristics", ELIGIBILITY_SYSTEM),
    },
}
_STRINGS: Mapping[str, tuple[str, ...]] = {
    "Organization": ("name",),
    "Location": ("name",),
    "Practitioner": ("name", "family", "given"),
    "PractitionerRole": (),
    "HealthcareService": ("name",),
}


def add_directory_reads(router: APIRouter) -> None:
    """Add reads and searches of the five types of the directory, and of nothing else."""
    for kind in TYPES:
        add_reads(
            router,
            resource_type=kind,
            model=COLUMNS,
            visible=rows.of_type(kind),
            rows=ROWS,
            params=params_of(kind),
            includes=includes_of(kind, visible=rows.of_type),
            named=rows.named(kind),
        )


def params_of(kind: str, *, model: Any = COLUMNS) -> Params:
    """Give the search parameters of a type over the columns of the directory, or those of a wider model."""
    params = {
        "_id": SearchParam(
            kind="reference", column=model.id, types=(kind,), matches=rows.named(kind, model=model)
        ),
        "identifier": SearchParam(kind="tokens", column=model.identifiers),
        **{name: SearchParam(kind="string", column=model[name]) for name in _STRINGS[kind]},
    }
    if kind == "Practitioner":
        # A person is found by any part of the name (R4 practitioner.html 8.4.7).
        also = (model.family, model.given)
        params["name"] = SearchParam(kind="string", column=model.name, also=also)
    if kind == "Location":
        params["status"] = SearchParam(kind="token", column=model.status, system=STATUS_SYSTEMS[kind])
    else:
        params["active"] = SearchParam(kind="token", column=model.status, system=_BOOLEAN)
    for name, (column, system) in _CODINGS[kind].items():
        params[name] = SearchParam(kind="coding", column=model[column], system=system)
    for name, (column, of) in _REFERENCES[kind].items():
        params[name] = SearchParam(kind="reference", column=model[column], types=(of,))
    return params


def includes_of(kind: str, *, visible: Callable[[str], RowRule], model: Any = COLUMNS) -> dict[str, Include]:
    """Give the includes of a type: its references into the directory."""
    return {
        f"{kind}:{name}": Include(
            resource_type=of,
            model=model,
            column=model[column],
            visible=visible(of),
            key=rows.key(of),
        )
        for name, (column, of) in _REFERENCES[kind].items()
    }
