"""Many rows of many tables, written by one prepared statement.

Invariants:
- A statement is made once for each set of parts, never for a number of rows: rows travel as one array a
  column (`INSERT ... SELECT ... FROM unnest(...)`), all parts as common table expressions of one statement.
- All parts see the database as it was before the statement; foreign keys are checked when all have run, so
  the order of the parts means nothing to them. Two parts never touch the same row.
- The rows of one part are written in the order in which they were added.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

import msgspec

Encode = Callable[[Any], Any]
Rows = Sequence[Sequence[Any]]

_LAST = 100

_json = msgspec.json.Encoder().encode


class Part(Protocol):
    """What a statement is made of: `sql` with its `width` parameters numbered from `first` on.

    Where it is `counted`, as many rows must have changed as were given.
    """

    @property
    def table(self) -> str: ...
    @property
    def width(self) -> int: ...
    @property
    def counted(self) -> bool: ...

    def sql(self, first: int) -> str: ...

    def arrays(self, rows: Rows) -> list[list[Any]]: ...


Batch = Mapping[Part, Rows]


@dataclass(frozen=True, slots=True)
class Column:
    """A column as a parameter: an array of `sent`, cast where PostgreSQL must read it from text."""

    name: str
    sent: str
    cast: str = ""
    encode: Encode | None = None

    @classmethod
    def of(cls, name: str, sql_type: str, *, encode: Encode | None = None) -> "Column":
        """Make the column of a PostgreSQL type (`uuid`, `jsonb`, `text[]`, ...)."""
        if sql_type.lower() == "jsonb":
            return cls(name, "text", "::jsonb", as_json)
        if sql_type.endswith("[]"):
            # unnest would take an array of arrays apart to the last element.
            return cls(name, "text", f"::{sql_type}", array_literal)
        return cls(name, sql_type, "", encode)


@dataclass(frozen=True, eq=False)
class Write:
    """An INSERT of rows given as tuples in the order of `columns`.

    `conflict` is an ON CONFLICT clause; with `key` (names of columns) only the newest row of a key is sent,
    since a statement may meet each key once. `in_order` is for tables whose ids tell the order of the rows.
    A `claim` (1, 2, ...) must insert every row, or the whole statement fails without saying what was taken;
    claims are made in the order of their numbers, rows in the order of the first column.
    """

    table: str
    columns: tuple[Column, ...]
    conflict: str = ""
    key: tuple[str, ...] = ()
    in_order: bool = False
    claim: int = 0

    @classmethod
    def into(
        cls,
        table: str,
        columns: Mapping[str, str],
        *,
        conflict: str = "",
        key: tuple[str, ...] = (),
        in_order: bool = False,
        claim: int = 0,
    ) -> "Write":
        """Describe an INSERT by the PostgreSQL type of each column."""
        made = tuple(Column.of(name, sql_type) for name, sql_type in columns.items())
        return cls(table, made, conflict, key, in_order, claim)

    @property
    def width(self) -> int:
        """How many parameters the part has."""
        return len(self.columns)

    @property
    def counted(self) -> bool:
        """Only a claim must come through; another row may be left out, if `conflict` says so."""
        return self.claim > 0

    def sql(self, first: int) -> str:
        """Write the INSERT."""
        names = ", ".join(f'"{column.name}"' for column in self.columns)
        values = ", ".join(f'"{column.name}"{column.cast}' for column in self.columns)
        given = _unnested(self.columns, first)
        rows = f"{given} AS r ({names})"
        if self.in_order:
            rows = f"{given} WITH ORDINALITY AS r ({names}, nth) ORDER BY nth"
        insert = f'INSERT INTO "{self.table}" ({names}) SELECT {values} FROM {rows}'  # noqa: S608
        return f"{insert} {self.conflict}{' RETURNING 1' if self.claim else ''}"

    def arrays(self, rows: Rows) -> list[list[Any]]:
        """Turn rows into one array a column."""
        if self.key:
            places = [[column.name for column in self.columns].index(name) for name in self.key]
            rows = list({tuple(row[place] for place in places): row for row in rows}.values())
        if self.claim:
            rows = sorted(rows, key=tuple)
        return as_arrays(self.columns, rows)


@dataclass(frozen=True, eq=False)
class Change:
    """An UPDATE of rows known by their key: tuples of the key's columns, then the new values."""

    table: str
    key: tuple[Column, ...]
    columns: tuple[Column, ...]

    @property
    def width(self) -> int:
        """How many parameters the part has."""
        return len(self.key) + len(self.columns)

    @property
    def counted(self) -> bool:
        """Every row was read before, so it is there."""
        return True

    def sql(self, first: int) -> str:
        """Write the UPDATE."""
        given = [*(f"k_{column.name}" for column in self.key), *(column.name for column in self.columns)]
        names = ", ".join(f'"{name}"' for name in given)
        sets = ", ".join(f'"{column.name}" = r."{column.name}"{column.cast}' for column in self.columns)
        rows = f"{_unnested((*self.key, *self.columns), first)} AS r ({names})"
        update = f'UPDATE "{self.table}" AS t SET {sets} FROM {rows}'  # noqa: S608
        return f"{update} WHERE {_same(self.key)} RETURNING 1"

    def arrays(self, rows: Rows) -> list[list[Any]]:
        """Turn rows into one array a column."""
        return as_arrays((*self.key, *self.columns), rows)


@dataclass(frozen=True, eq=False)
class Removal:
    """A DELETE of rows known by their key."""

    table: str
    key: tuple[Column, ...]

    @property
    def width(self) -> int:
        """How many parameters the part has."""
        return len(self.key)

    @property
    def counted(self) -> bool:
        """A row that is gone already is as it should be."""
        return False

    def sql(self, first: int) -> str:
        """Write the DELETE."""
        names = ", ".join(f'"k_{column.name}"' for column in self.key)
        given = _unnested(self.key, first)
        where = _same(self.key)
        return f'DELETE FROM "{self.table}" AS t USING {given} AS r ({names}) WHERE {where}'  # noqa: S608

    def arrays(self, rows: Rows) -> list[list[Any]]:
        """Turn rows into one array a column."""
        return as_arrays(self.key, rows)


@dataclass(frozen=True, eq=False)
class Unchanged:
    """No write: rows that must be in the database with these values when the statement runs."""

    table: str
    columns: tuple[Column, ...]

    @classmethod
    def of(cls, table: str, columns: Mapping[str, str]) -> "Unchanged":
        """Describe the rows by the PostgreSQL type of each column that is compared; one row for each."""
        return cls(table, tuple(Column.of(name, sql_type) for name, sql_type in columns.items()))

    @property
    def width(self) -> int:
        """How many parameters the part has."""
        return len(self.columns)

    @property
    def counted(self) -> bool:
        """Every row must be as it was read."""
        return True

    def sql(self, first: int) -> str:
        """Write the SELECT."""
        names = ", ".join(f'"k_{column.name}"' for column in self.columns)
        given = f"{_unnested(self.columns, first)} AS r ({names})"
        return f'SELECT 1 FROM {given} JOIN "{self.table}" AS t ON {_same(self.columns)}'  # noqa: S608

    def arrays(self, rows: Rows) -> list[list[Any]]:
        """Turn rows into one array a column."""
        return as_arrays(self.columns, rows)


def statement(batch: Batch) -> tuple[str, list[Any]]:
    """Make the statement that writes a batch, and its parameters."""
    parts = tuple(sorted(batch, key=_place))
    values: list[Any] = [array for part in parts for array in part.arrays(batch[part])]
    if any(part.counted for part in parts):
        values.append(sum(len(batch[part]) for part in parts if part.counted))
    return _text(parts), values


@lru_cache(maxsize=2000)
def _text(parts: tuple[Part, ...]) -> str:
    pieces, first = [], 1
    for number, part in enumerate(parts):
        pieces.append(f"w{number} AS ({part.sql(first)})")
        first += part.width
    counted = [number for number, part in enumerate(parts) if part.counted]
    if not counted:
        return f"WITH {', '.join(pieces)} SELECT 1"
    # A claim that is taken or a row that is gone must undo the rest: the only error that a SELECT can raise
    # itself, and one that tells the server's log nothing about a person.
    counts = " + ".join(f"(SELECT count(*) FROM w{number})" for number in counted)  # noqa: S608
    return f"WITH {', '.join(pieces)} SELECT 1 / (({counts}) = ${first}::bigint)::int"


def _place(part: Part) -> tuple[int, str, str]:
    """Every statement claims and writes in one order, so that two of them do not wait for each other."""
    return getattr(part, "claim", 0) or _LAST, part.table, type(part).__name__


def as_arrays(columns: Sequence[Column], rows: Rows) -> list[list[Any]]:
    """Turn rows into one array a column, each value as PostgreSQL is sent it."""
    arrays: list[list[Any]] = []
    for column, values in zip(columns, zip(*rows, strict=True), strict=True):
        encode = column.encode
        arrays.append(list(values) if encode is None else [encode(value) for value in values])
    return arrays


def as_json(value: Any) -> str:
    """Write a value as JSON text."""
    return _json(value).decode()


def array_literal(values: Sequence[str] | None) -> str | None:
    """Write texts as PostgreSQL reads an array."""
    if values is None:
        return None
    return "{" + ",".join(f'"{_escaped(value)}"' for value in values) + "}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _unnested(columns: Sequence[Column], first: int) -> str:
    arrays = ", ".join(f"${first + place}::{column.sent}[]" for place, column in enumerate(columns))
    return f"unnest({arrays})"


def _same(key: Sequence[Column]) -> str:
    return " AND ".join(f't."{column.name}" = r."k_{column.name}"' for column in key)
