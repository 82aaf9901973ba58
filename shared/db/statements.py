"""SQLAlchemy statements as asyncpg runs them: compiled once, then only their parameters change."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import Executable, Select, TextClause, text
from sqlalchemy.engine import IteratorResult
from sqlalchemy.engine.result import SimpleResultMetaData
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.util import LRUCache

from shared.db.columns import Encode
from shared.db.mapped import DIALECT, Mapped, mapped, reader_of

_compiled: LRUCache[Any, Any] = LRUCache(1000)
_WORD = re.compile(r"\w+")
_GIVES_ROWS = re.compile(r"^\s*(SELECT|WITH|VALUES|SHOW|TABLE)\b|\bRETURNING\b", re.IGNORECASE)
_STATUS = re.compile(r"(\d+)$")


@lru_cache(maxsize=2000)
def words(sql: str) -> frozenset[str]:
    """Give the words of a statement; every table that it touches is among them."""
    return frozenset(_WORD.findall(sql))


@lru_cache(maxsize=2000)
def gives_rows(sql: str) -> bool:
    """Tell whether a statement answers with rows."""
    return _GIVES_ROWS.search(sql) is not None


class Answer(IteratorResult[Any]):
    """SQLAlchemy's result over rows that asyncpg read; `rowcount` is how many were changed or given."""

    def __init__(self, names: Sequence[str], rows: Sequence[Any], *, rowcount: int) -> None:
        super().__init__(SimpleResultMetaData(names), iter(rows))
        self.rowcount = rowcount


@dataclass(frozen=True, eq=False)
class Plan:
    """What is known of a compiled statement: `entities` at which columns, `readers` of the columns."""

    compiler: SQLCompiler
    encoders: Mapping[str, Encode]
    entities: Sequence[tuple[int, Mapped | None]]
    readers: Sequence[Encode | None]
    names: Sequence[str]


@dataclass(frozen=True)
class Ready:
    """A statement with its parameters, ready to be sent."""

    sql: str
    values: list[Any]
    plan: Plan


def ready(statement: Executable, parameters: Mapping[str, Any] | None = None) -> Ready:
    """Compile a statement, or find it compiled, and put its parameters in order."""
    # The same call as SQLAlchemy's own connection makes; the version is pinned below the next minor.
    compiled = statement._compile_w_cache(
        DIALECT, compiled_cache=_compiled, column_keys=sorted(parameters or ())
    )
    compiler, extracted = cast(SQLCompiler, compiled[0]), compiled[1]
    plan = _plan(compiler, statement)
    given = compiler.construct_params(parameters, extracted_parameters=extracted, escape_names=False)
    if compiler.post_compile_params or compiler.literal_execute_params:
        expanded = compiler.construct_expanded_state(given, escape_names=False)
        encoders: Mapping[str, Any] = expanded.processors
        order = expanded.positiontup or ()
        sql, given = expanded.statement, cast(dict[str, Any], expanded.parameters)
    else:
        encoders, order, sql = plan.encoders, compiler.positiontup or (), compiler.string
    return Ready(sql, [_sent(given[name], encoders.get(name)) for name in order], plan)


def ready_text(sql: str, parameters: Mapping[str, Any]) -> Ready:
    """The same for SQL text with named parameters."""
    return ready(_text_of(sql), parameters)


def result(found: Ready, records: Sequence[Any], *, status: str = "") -> Answer:
    """Give records as SQLAlchemy's result, with `rowcount`."""
    names = list(records[0].keys()) if records else list(found.plan.names)
    readers = found.plan.readers
    rows = [tuple(record) for record in records]
    if any(readers):
        rows = [
            tuple(
                value if reader is None else reader(value)
                for value, reader in zip(row, readers, strict=False)
            )
            for row in rows
        ]
    counted = _STATUS.search(status)
    return Answer(names, rows, rowcount=int(counted[1]) if counted else len(rows))


def of_rows(found: Ready, rows: Sequence[tuple[Any, ...]]) -> Answer:
    """Give rows of entities and columns as SQLAlchemy's result."""
    names = [
        table.model.__name__ if table is not None else found.plan.names[place]
        for place, table in found.plan.entities
    ]
    return Answer(names, rows, rowcount=len(rows))


def locks(statement: Executable) -> bool:
    """Tell whether a statement does more than read: it writes, locks, or is a text of which nobody knows."""
    return not isinstance(statement, Select) or statement._for_update_arg is not None


def refreshes(statement: Executable) -> bool:
    """Tell whether rows that are loaded already are set to what this statement finds."""
    return bool(statement.get_execution_options().get("populate_existing"))


@lru_cache(maxsize=2000)
def _text_of(sql: str) -> TextClause:
    return text(sql)


def _sent(value: Any, encode: Encode | None) -> Any:
    return value if encode is None else encode(value)


def _plan(compiler: SQLCompiler, statement: Executable) -> Plan:
    found = getattr(compiler, "_lumbar_plan", None)
    if found is None:
        found = _made(compiler, statement)
        compiler._lumbar_plan = found  # type: ignore[attr-defined]
    plan: Plan = found
    return plan


def _made(compiler: SQLCompiler, statement: Executable) -> Plan:
    encoders = {}
    for bind, name in compiler.bind_names.items():
        encode = bind.type.dialect_impl(DIALECT).bind_processor(DIALECT)
        if encode is not None:
            encoders[name] = encode
    columns = compiler._result_columns
    readers = [reader_of(column.type) for column in columns]
    names = [column.keyname for column in columns]
    entities = list(_entities(statement, names)) if isinstance(statement, Select) else []
    return Plan(compiler, encoders, entities, readers, names)


def _entities(statement: Select[Any], names: Sequence[str]) -> list[tuple[int, Mapped | None]]:
    """Tell which columns are a row of which class; raises TypeError where that cannot be told."""
    found: list[tuple[int, Mapped | None]] = []
    place = 0
    for asked in statement.column_descriptions:
        whole = asked.get("expr") if asked.get("expr") is asked.get("entity") else None
        if isinstance(whole, type):
            table = mapped(whole)
            stand = [column.name for column in table.table.columns]
            if not all(map(_stands_for, names[place : place + len(stand)], stand)):
                raise TypeError(f"the columns of {whole.__name__} cannot be told apart in this statement")
            found.append((place, table))
            place += len(stand)
        else:
            found.append((place, None))
            place += 1
    return found


def _stands_for(name: str, column: str) -> bool:
    """Tell whether a name in a result is this column's; the second of a name has a number after it."""
    return name == column or re.fullmatch(rf"{re.escape(column)}_+\d+", name) is not None
