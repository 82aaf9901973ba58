"""SELECTs that SQLAlchemy Core has built, as asyncpg runs them: search pages have many conditions."""

from typing import Any, Final

from sqlalchemy import Select, inspect
from sqlalchemy.dialects.postgresql.asyncpg import dialect as asyncpg_dialect
from sqlmodel import SQLModel

DIALECT: Final = asyncpg_dialect()  # type: ignore[no-untyped-call]


def compiled(statement: Select[Any]) -> tuple[str, list[Any]]:
    """Return the SQL of a SELECT with `$1` parameters, and their values in order."""
    found = statement.compile(dialect=DIALECT, compile_kwargs={"render_postcompile": True})
    return str(found), [found.params[name] for name in found.positiontup or ()]


def columns(table: type[SQLModel]) -> Any:
    """Return the columns of a table class by name, for a SELECT of whole rows."""
    return inspect(table).local_table.c
