"""How a SQLModel class stands in its table: rows to parameters, records to rows; no session anywhere.

SQLAlchemy's mapping says which attribute is which column, and its instrumentation notes which attributes were
set since a row was loaded or written; both are only read here.
"""

from collections.abc import Sequence
from functools import cache, cached_property
from typing import Any, Final, cast

from sqlalchemy import Table, inspect
from sqlalchemy.dialects.postgresql.asyncpg import dialect as asyncpg_dialect
from sqlalchemy.orm import Mapper
from sqlalchemy.orm.base import instance_state
from sqlalchemy.sql.sqltypes import ARRAY, Numeric, Text
from sqlalchemy.types import TypeEngine
from sqlmodel import SQLModel
from sqlmodel.sql.sqltypes import UTCDateTime

from shared.db.columns import Column, Encode
from shared.db.writing import Change, Removal, Write

DIALECT: Final = asyncpg_dialect()  # type: ignore[no-untyped-call]


class Mapped:
    """One mapped class; ask `mapped(Class)` for it."""

    def __init__(self, model: type[SQLModel]) -> None:
        mapper: Mapper[Any] = inspect(model)
        self.model = model
        self.table = cast(Table, mapper.local_table)
        self.name = self.table.name
        columns = list(self.table.columns)
        self.attributes = tuple(mapper.get_property_by_column(column).key for column in columns)
        self._columns = {
            name: column_of(column.name, column.type)
            for name, column in zip(self.attributes, columns, strict=True)
        }
        self._readers = [
            (place, reader)
            for place, column in enumerate(columns)
            if (reader := reader_of(column.type)) is not None
        ]
        self.key = tuple(mapper.get_property_by_column(column).key for column in mapper.primary_key)
        self._key_places = [self.attributes.index(name) for name in self.key]
        made = self.table.autoincrement_column
        self._made_here = None if made is None else mapper.get_property_by_column(made).key

    @cached_property
    def insert(self) -> Write:
        """The INSERT of whole rows; a key that the database makes is left out."""
        return Write(self.name, tuple(self._columns[name] for name in self._written))

    @cached_property
    def removal(self) -> Removal:
        """The DELETE by key."""
        return Removal(self.name, tuple(self._columns[name] for name in self.key))

    @cached_property
    def select(self) -> str:
        """The SELECT of one row by its key."""
        names = ", ".join(f'"{column.name}"' for column in self.table.columns)
        keys = [self._columns[name].name for name in self.key]
        where = " AND ".join(f'"{name}" = ${place}' for place, name in enumerate(keys, 1))
        return f'SELECT {names} FROM "{self.name}" WHERE {where}'  # noqa: S608

    def change(self, names: frozenset[str]) -> Change:
        """The UPDATE of these attributes."""
        return _change(self, names)

    def values(self, row: SQLModel) -> tuple[Any, ...]:
        """Give a row's values in the order of `insert`."""
        held = row.__dict__
        return tuple([held.get(name) for name in self._written])

    def change_values(self, row: SQLModel, names: frozenset[str]) -> tuple[Any, ...]:
        """Give a row's key and these attributes in the order of `change`."""
        held = row.__dict__
        return (*self.key_of(row), *[held.get(name) for name in self.attributes if name in names])

    def key_of(self, row: SQLModel) -> tuple[Any, ...]:
        """Give a row's key."""
        held = row.__dict__
        return tuple([held.get(name) for name in self.key])

    def key_in(self, record: Sequence[Any], first: int) -> tuple[Any, ...]:
        """Give the key that stands in a record whose columns of this class begin at `first`."""
        return tuple([record[first + place] for place in self._key_places])

    def row(self, record: Sequence[Any], first: int) -> SQLModel:
        """Make a row of a record."""
        row: SQLModel = self.model.__new__(self.model)
        self.fill(row, record, first)
        return row

    def fill(self, row: SQLModel, record: Sequence[Any], first: int) -> None:
        """Set a row to what a record says, as what the database has."""
        values = list(record[first : first + len(self.attributes)])
        for place, reader in self._readers:
            values[place] = reader(values[place])
        row.__dict__.update(zip(self.attributes, values, strict=True))
        settle(row)

    @cached_property
    def _written(self) -> tuple[str, ...]:
        return tuple(name for name in self.attributes if name != self._made_here)

    @property
    def keeps_key(self) -> bool:
        """Tell whether rows bring their own key, so that they are known again after they were written."""
        return self._made_here is None

    def _parts(self, names: Sequence[str]) -> tuple[Column, ...]:
        return tuple(self._columns[name] for name in names)


@cache
def mapped(model: type[SQLModel]) -> Mapped:
    """Give the mapping of a table class."""
    return Mapped(model)


@cache
def _change(table: Mapped, names: frozenset[str]) -> Change:
    ordered = [name for name in table.attributes if name in names]
    return Change(table.name, table._parts(table.key), table._parts(ordered))


def changed(row: SQLModel) -> frozenset[str]:
    """Name the attributes that were set to something else since the row was loaded or written."""
    state = instance_state(row)
    if not state.modified:
        return frozenset()
    held = row.__dict__
    return frozenset(name for name, before in state.committed_state.items() if held.get(name) != before)


def settle(row: SQLModel) -> None:
    """Note that the row is as the database has it."""
    state = instance_state(row)
    state.committed_state.clear()
    state.modified = False


def is_modified(row: SQLModel) -> bool:
    """Tell whether an attribute was set since the row was loaded or written."""
    return bool(instance_state(row).modified)


def known_to_database(row: SQLModel) -> bool:
    """Tell whether a row was loaded or written before, in whatever transaction."""
    return instance_state(row).key is not None


def mark(row: SQLModel, key: tuple[Any, ...] | None) -> None:
    """Note that a row is in the database under its key, or (None) that it is not."""
    state: Any = instance_state(row)
    state.key = None if key is None else (type(row), key, None)


def column_of(name: str, kind: TypeEngine[Any]) -> Column:
    """Make the parameter of a SQLAlchemy column."""
    sql_type = DIALECT.type_compiler_instance.process(kind)
    if isinstance(kind, ARRAY) and not isinstance(kind.item_type, Text):
        raise TypeError(f"column {name}: only arrays of Text are written")
    encode: Encode | None = kind.dialect_impl(DIALECT).bind_processor(DIALECT)
    return Column.of(name, sql_type, encode=encode)


def reader_of(kind: TypeEngine[Any]) -> Encode | None:
    """Give what SQLAlchemy does to a value that was read, None where asyncpg's is right already."""
    if isinstance(kind, UTCDateTime | ARRAY | Numeric):
        return None
    return kind.dialect_impl(DIALECT).result_processor(DIALECT, None)
