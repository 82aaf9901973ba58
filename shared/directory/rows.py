"""Rows of the directory: the same table in every service, and the ids of its resources.

Invariants:
- The id that a resource shows is that of clinic.yaml; the id of its row follows from its type and that id, so
  it is the same in every service.
- A resource that clinic.yaml no longer names stays, and is inactive: what was written once still resolves.
- Nothing in it is about a patient, so everybody who may read its type reads all of it.
"""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import ColumnElement, MetaData, and_, false, or_
from sqlmodel import Field

from shared.auth.principal import Principal
from shared.db.models import Resource, SharedRow
from shared.db.tables import add_directory
from shared.fhir.search_values import as_uuid, is_id

TYPES = ("Organization", "Location", "Practitioner", "PractitionerRole", "HealthcareService")

_NAMESPACE = UUID("6f1c0d5e-0f0b-5b0a-9d0e-3f1f5a1c7b11")


class DirectoryResource(Resource, SharedRow):
    """One resource of the directory, beside what it is searched by (`shared.directory.index`)."""

    __tablename__ = "directory_resource"

    type: str
    logical_id: str
    name: str | None = None
    family: str | None = None
    given: str | None = None
    identifiers: list[str] = Field(default_factory=list)
    status: str | None = None
    organization: str | None = None
    practitioner: str | None = None
    part_of: str | None = None
    locations: list[str] = Field(default_factory=list)
    services: list[str] = Field(default_factory=list)
    specialties: list[str] = Field(default_factory=list)
    categories: list[str] = Field(default_factory=list)
    codes: list[str] = Field(default_factory=list)
    characteristics: list[str] = Field(default_factory=list)

    @property
    def fhir_id(self) -> str:
        """The id that the resource shows: that of clinic.yaml."""
        return self.logical_id


def _columns() -> Any:
    metadata = MetaData()
    add_directory(metadata)
    return metadata.tables[DirectoryResource.__tablename__].c


COLUMNS = _columns()


def row_id(resource_type: str, logical_id: str) -> UUID:
    """Return the id of the row of a resource of the directory."""
    return uuid5(_NAMESPACE, f"{resource_type}/{logical_id}")


def key(resource_type: str) -> Callable[[Any], UUID]:
    """Give the row that an id names in a column of references to this type; a UUID is that of the row."""

    def row_of(text: Any) -> UUID:
        return as_uuid(text) or row_id(resource_type, str(text))

    return row_of


def of_type(resource_type: str) -> Callable[[Principal], ColumnElement[bool]]:
    """Give the row scope of a type: all of it, for everybody who may read the type."""

    def visible(_: Principal) -> ColumnElement[bool]:
        found: ColumnElement[bool] = COLUMNS.type == resource_type
        return found

    return visible


def named(resource_type: str, *, model: Any = COLUMNS) -> Callable[[str], ColumnElement[bool]]:
    """Give the condition that a row is the resource with this id; a row without one of ours has its UUID."""

    def is_named(text: str) -> ColumnElement[bool]:
        if not is_id(text):
            return false()
        ours = and_(model.id == row_id(resource_type, text), model.logical_id == text)
        theirs = as_uuid(text)
        return ours if theirs is None else or_(ours, and_(model.id == theirs, model.logical_id.is_(None)))

    return is_named
