"""What every row of ours has: a data model that verbs read and change, and a table that holds it.

A row is a SQLModel data model, validated where it is made. The table is the same class with `table=True`,
SQLModel's own pattern; it is for Alembic, constraints and column expressions, and no verb ever makes one:

    class Referral(Resource):
        __tablename__ = "referral"
        state: State = Field(default=State.AWAITING_TRIAGE, sa_type=Text)

    class ReferralTable(Referral, Base, table=True):
        __table_args__ = (one_of("state", State),)

Invariants:
- `version` is meta.versionId, dense from 1, and changes with the bytes (`shared.fhir.store`).
- `event_version` is the version that the aggregate's newest event carries, dense from 1 (`outbox.publish`),
  `event_at` is that event's time; neither ever goes back, and neither does `last_updated`.
- Whoever changes either holds the row's lock: it was inserted in this transaction or read FOR UPDATE.
- Times are aware UTC; a naive time is refused when a row is made and when it is written.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any
from uuid import UUID

from pydantic import AwareDatetime
from sqlalchemy import CheckConstraint, Table
from sqlmodel import Field, SQLModel

from shared.ids import new_id


class Aggregate(SQLModel):
    """A row that events are published about."""

    id: UUID = Field(default_factory=new_id, primary_key=True)
    event_version: int = 0
    event_at: AwareDatetime | None = None


class Resource(Aggregate):
    """A row that is also a FHIR resource: its bytes as they are answered, beside the columns we search by."""

    version: int = 0
    last_updated: AwareDatetime | None = Field(default=None, index=True)
    body: bytes = b""

    @property
    def fhir_id(self) -> str:
        """The id that the resource shows."""
        return str(self.id)


class SharedRow(SQLModel):
    """A row of a table that every service has (`shared.db.tables`); its fields are the columns written."""


_STORED = ("id", "version", "last_updated", "body", "patient_id", "site", "history_id", "logical_id")


class StoredResource(Resource):
    """What reads and searches answer of any resource: its bytes, whose and where it is.

    Its earlier versions are kept under `history_id`, and it shows `logical_id` as its id, where those are not
    its own id.
    """

    patient_id: Any = None
    site: str | None = None
    history_id: UUID | None = None
    logical_id: str | None = None

    @property
    def fhir_id(self) -> str:
        """The id that the resource shows."""
        return self.logical_id or str(self.id)


def stored_resource(record: Any) -> StoredResource:
    """Make a StoredResource of a record that has its columns, among others."""
    return StoredResource(**{name: record[name] for name in _STORED if name in record})


def columns_of(table: Any) -> tuple[Any, ...]:
    """Return the columns of a resource's table that make a StoredResource."""
    return tuple(getattr(table, name) for name in _STORED if hasattr(table, name))


def one_of(column: str, values: type[StrEnum], *, name: str) -> CheckConstraint:
    """Declare that a column of texts holds one of these values."""
    return CheckConstraint(f"{column} IN ({', '.join(repr(value.value) for value in values)})", name=name)


@dataclass(frozen=True, slots=True, kw_only=True)
class TableOf:
    """The table of a data model: its name, its columns in order, and which of them are the key."""

    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]

    def insert(self, rows: int = 1, *, first: int = 1) -> str:
        """Write the INSERT of whole rows: a parameter for each column in order, from number `first` on."""
        width = len(self.columns)
        names = ", ".join(f'"{column}"' for column in self.columns)
        values = ", ".join(
            f"({', '.join(f'${start + place}' for place in range(width))})"
            for start in range(first, first + rows * width, width)
        )
        return f'INSERT INTO "{self.name}" ({names}) VALUES {values}'  # noqa: S608

    def update(self, names: Sequence[str]) -> str:
        """Write the UPDATE of some columns: parameters for the key first, then for each of `names`."""
        first = len(self.key) + 1
        changes = ", ".join(f'"{name}" = ${place}' for place, name in enumerate(names, first))
        return f'UPDATE "{self.name}" SET {changes} WHERE {self.where_key()}'  # noqa: S608

    def delete(self) -> str:
        """Write the DELETE of one row."""
        return f'DELETE FROM "{self.name}" WHERE {self.where_key()}'  # noqa: S608

    def where_key(self) -> str:
        """Write the condition that a row has the key of the first parameters."""
        return " AND ".join(f'"{name}" = ${place}' for place, name in enumerate(self.key, 1))


@cache
def table_of(model: type[SQLModel]) -> TableOf:
    """Return the table of a data model; raises TypeError for a class without one."""
    if issubclass(model, SharedRow):
        fields: Mapping[str, Any] = model.model_fields
        key = tuple(name for name, field in fields.items() if getattr(field, "primary_key", None) is True)
        return TableOf(name=str(model.__tablename__), columns=tuple(fields), key=key)
    tables = [found for kind in model.__subclasses__() if (found := _table(kind)) is not None]
    if len(tables) != 1:
        raise TypeError(f"{model.__name__} has {len(tables)} tables, and a data model has one")
    columns = tuple(column.name for column in tables[0].columns)
    return TableOf(name=tables[0].name, columns=columns, key=tuple(tables[0].primary_key.columns.keys()))


def values_of(row: SQLModel, names: Sequence[str]) -> list[Any]:
    """Return these columns of a row; raises ValueError for a naive time."""
    values = [getattr(row, name) for name in names]
    for name, value in zip(names, values, strict=True):
        if getattr(value, "tzinfo", True) is None:
            raise ValueError(f"{type(row).__name__}.{name} needs a time with a zone")
    return values


def _table(kind: type[SQLModel]) -> Table | None:
    return getattr(kind, "__table__", None)
