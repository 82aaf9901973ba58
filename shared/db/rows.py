"""Columns that every FHIR resource of ours has, whatever service owns it.

Invariants:
- `version` is meta.versionId, dense from 1, and changes with the bytes (`shared.fhir.store.put`).
- `event_version` is the version that the aggregate's newest event carries, dense from 1 (`outbox.publish`).
- Whoever changes either holds the row's lock: it was inserted in this transaction or read FOR UPDATE.
- Times are aware UTC; a naive time is refused when it is bound.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from pydantic_core import PydanticUndefined
from sqlalchemy import event
from sqlalchemy.orm import configure_mappers
from sqlalchemy.orm.attributes import InstrumentedAttribute, set_attribute
from sqlalchemy.orm.base import opt_manager_of_class
from sqlmodel import Field, SQLModel

from shared.ids import new_id


class Row(SQLModel):
    """Base of every table class: made in microseconds, where SQLModel's own way takes a millisecond.

    Like SQLModel's, a table row is not validated when it is made; the database's constraints decide.
    """

    def __new__(cls, *_: Any, **__: Any) -> Any:
        """Make a row with its state, so that SQLAlchemy's own making of one is passed by."""
        row = super().__new__(cls)
        if (manager := _manager(cls)) is not None:
            row.__dict__["_sa_instance_state"] = manager._state_constructor(row, manager)
        return row

    def __init__(self, **given: Any) -> None:
        """Set what is given, and the default of everything else; raises TypeError for an unknown name."""
        defaults, factories, names = _defaults(type(self))
        if not names.issuperset(given):
            unknown = ", ".join(sorted(given.keys() - names))
            raise TypeError(f"{type(self).__name__} has no {unknown}")
        held = self.__dict__
        held.update(defaults)
        for name, make in factories:
            if name not in given:
                held[name] = make()
        held.update(given)

    def __setattr__(self, name: str, value: Any) -> None:
        """Set an attribute; of a row that the database has, SQLAlchemy notes what it was before."""
        held = self.__dict__
        state = held.get("_sa_instance_state")
        if name not in _defaults(type(self))[2]:
            super().__setattr__(name, value)
        elif state is None or state.key is None:
            held[name] = value
        else:
            set_attribute(self, name, value)


class _Held:
    """A column's attribute that Python looks for in the row itself first, which takes no call.

    It is asked for what the row does not hold, and for the column (`Referral.state`).
    """

    def __init__(self, instrumented: InstrumentedAttribute[Any]) -> None:
        self._instrumented = instrumented

    def __get__(self, row: Row | None, owner: type[Row]) -> Any:
        return self._instrumented.__get__(row, owner)


@event.listens_for(Row, "attribute_instrument", propagate=True)
def _read_from_the_row(model: type[Row], name: str, instrumented: InstrumentedAttribute[Any]) -> None:
    type.__setattr__(model, name, _Held(instrumented))


@cache
def _manager(model: type[Row]) -> Any:
    """Give SQLAlchemy's manager of a table class, None for a class without a table."""
    # Before this a row would find attributes without instrumentation.
    configure_mappers()
    return opt_manager_of_class(model)


@cache
def _defaults(
    model: type[SQLModel],
) -> tuple[Mapping[str, Any], Sequence[tuple[str, Callable[[], Any]]], frozenset[str]]:
    fields = model.model_fields
    factories: dict[str, Any] = {
        name: field.default_factory for name, field in fields.items() if field.default_factory is not None
    }
    fixed = {
        name: field.default
        for name, field in fields.items()
        if name not in factories and field.default is not PydanticUndefined
    }
    return fixed, tuple(factories.items()), frozenset(fields)


class AggregateRow(Row):
    """A row that events are published about."""

    id: UUID = Field(default_factory=new_id, primary_key=True)
    event_version: int = 0


class ResourceRow(AggregateRow):
    """A row that is also a FHIR resource: its bytes as they are answered, beside the columns we search by."""

    version: int = 0
    last_updated: datetime | None = Field(default=None, index=True)
    body: bytes = b""
