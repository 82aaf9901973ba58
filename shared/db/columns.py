"""Columns as parameters of a statement: an array each, or for a single row its value."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

Encode = Callable[[Any], Any]
Rows = Sequence[Sequence[Any]]

_json = msgspec.json.Encoder().encode


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


def columns_of(types: Mapping[str, str]) -> tuple[Column, ...]:
    """Make columns of their PostgreSQL types."""
    return tuple(Column.of(name, sql_type) for name, sql_type in types.items())


def as_parameters(columns: Sequence[Column], rows: Rows, *, single: bool) -> list[Any]:
    """Turn rows into one array a column, or a `single` row into its values, each as PostgreSQL is sent it."""
    if single:
        return [
            value if column.encode is None else column.encode(value)
            for column, value in zip(columns, rows[0], strict=True)
        ]
    return [
        list(values) if column.encode is None else [column.encode(value) for value in values]
        for column, values in zip(columns, zip(*rows, strict=True), strict=True)
    ]


def given(columns: Sequence[Column], first: int, *, single: bool) -> str:
    """Write the rows that the parameters from `first` on make."""
    if single:
        values = ", ".join(f"${first + place}::{column.sent}" for place, column in enumerate(columns))
        return f"(SELECT {values})"
    arrays = ", ".join(f"${first + place}::{column.sent}[]" for place, column in enumerate(columns))
    return f"unnest({arrays})"


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
