"""Columns that every FHIR resource of ours has, whatever service owns it.

Invariants:
- `version` is meta.versionId, dense from 1, and changes with the bytes (`shared.fhir.store.put`).
- `event_version` is the version that the aggregate's newest event carries, dense from 1 (`outbox.publish`).
- Whoever changes either holds the row's lock: it was inserted in this transaction or read FOR UPDATE.
- Times are aware UTC; a naive time is refused when it is bound.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from pydantic_core import PydanticUndefined
from sqlalchemy.orm.attributes import set_attribute
from sqlmodel import Field, SQLModel

from shared.ids import new_id


class Row(SQLModel):
    """Base of every table class: made in microseconds, where SQLModel's own way takes a millisecond.

    Like SQLModel's, a table row is not validated when it is made; the database's constraints decide.
    """

    def __init__(self, **given: Any) -> None:
        """Set what is given, and the default of everything else; raises TypeError for an unknown name."""
        defaults, factories, names = _defaults(type(self))
        if unknown := given.keys() - names:
            raise TypeError(f"{type(self).__name__} has no {', '.join(sorted(unknown))}")
        made = {name: make() for name, make in factories.items() if name not in given}
        self.__dict__.update({**defaults, **made, **given})

    def __setattr__(self, name: str, value: Any) -> None:
        """Set an attribute; of a row that the database has, SQLAlchemy notes what it was before."""
        held = self.__dict__
        state = held.get("_sa_instance_state")
        if state is None or name not in _defaults(type(self))[2]:
            super().__setattr__(name, value)
        elif state.key is None:
            held[name] = value
        else:
            set_attribute(self, name, value)


@cache
def _defaults(
    model: type[SQLModel],
) -> tuple[Mapping[str, Any], Mapping[str, Callable[[], Any]], frozenset[str]]:
    fields = model.model_fields
    factories: dict[str, Any] = {
        name: field.default_factory for name, field in fields.items() if field.default_factory is not None
    }
    fixed = {
        name: field.default
        for name, field in fields.items()
        if name not in factories and field.default is not PydanticUndefined
    }
    return fixed, factories, frozenset(fields)


class AggregateRow(Row):
    """A row that events are published about."""

    id: UUID = Field(default_factory=new_id, primary_key=True)
    event_version: int = 0


class ResourceRow(AggregateRow):
    """A row that is also a FHIR resource: its bytes as they are answered, beside the columns we search by."""

    version: int = 0
    last_updated: datetime | None = Field(default=None, index=True)
    body: bytes = b""
