"""FHIR search over a service's own columns: parameters declared, never parsed twice, always inside the row
scope.

`parse` reads a query and refuses what is unknown or wrong; `run` gives one page of what the caller may see;
`included` what the matches refer to. A repeated parameter is and, a comma is or (R4 search.html 3.1.1.3).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from shared.db import Transaction
from shared.db.models import StoredResource, columns_of, stored_resource
from shared.errors import Invalid, NotSupported
from shared.fhir import search_pages, search_values
from shared.fhir.search_pages import Key

Kind = Literal["token", "tokens", "reference", "date", "string"]

DEFAULT_COUNT = 50
MAX_COUNT = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchParam:
    """One search parameter and the column behind it.

    token: a code column, given as `code`, `system|code` or `|code`, commas mean or; tokens: a text[] column
    of `system|value` (identifiers); reference: a text or UUID column that holds the bare id, given as
    `Type/id`, `id` or an absolute URL, with `types` as the allowed types; date: a timestamptz column, with
    prefixes eq, ne, gt, ge, lt, le; string: a text column, matched from its start without case. A reference
    column may also be an array of ids. Where no single column decides, `matches` gives the condition of a
    value, and `column` is what is sorted by.
    """

    kind: Kind
    column: Any
    types: tuple[str, ...] = ()
    matches: Callable[[Any], ColumnElement[bool]] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Include:
    """What `_include=Type:param` adds: rows of `model` whose id stands in `column` of the matches.

    `visible` is the row scope of the included type; a row that the caller may not see is not included.
    """

    resource_type: str
    model: Any
    column: Any
    visible: Any


Params = Mapping[str, SearchParam]


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """A query that was read: what must hold, in which order, which page, and what to add."""

    criteria: tuple["_Criterion", ...] = ()
    sort: tuple["_Order", ...] = ()
    count: int = DEFAULT_COUNT
    after: str | None = None
    includes: tuple[str, ...] = ()
    with_total: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page: its rows in order, how many there are in all, and the `_after` of the next page."""

    rows: Sequence[StoredResource]
    total: int | None
    next: str | None


@dataclass(frozen=True, slots=True)
class _Criterion:
    """One parameter as it was given: any of its values must match. `param` is None for `_id` and the like."""

    name: str
    param: SearchParam | None
    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class _Order:
    name: str
    param: SearchParam | None
    descending: bool


_OWN_KINDS: Mapping[str, Kind] = {"_id": "reference", "_lastUpdated": "date"}
_CONTROLS = ("_count", "_sort", "_after", "_total")
_IGNORED = frozenset({"_format", "_pretty"})


def parse(
    query: Sequence[tuple[str, str]], params: Params, *, includes: Mapping[str, Include] | None = None
) -> Search:
    """Read a query; raises NotSupported for an unknown parameter, modifier or include, Invalid for a bad
    value, each with the parameter as its expression.
    """
    criteria: list[_Criterion] = []
    controls: dict[str, str] = {}
    wanted: list[str] = []
    for name, value in query:
        if name in _CONTROLS:
            controls[name] = value
        elif name == "_include":
            wanted.append(_known_include(value, includes or {}))
        elif name not in _IGNORED:
            criteria.append(_criterion(name, value, params))
    return Search(
        criteria=tuple(criteria),
        sort=_sort(controls.get("_sort", ""), params),
        count=_count(controls.get("_count")),
        after=controls.get("_after"),
        includes=tuple(dict.fromkeys(wanted)),
        with_total=controls.get("_total") != "none",
    )


async def run(tx: Transaction, search: Search, model: Any, visible: ColumnElement[bool]) -> Page:
    """Give one page of the rows that match and that the caller may see; the total counts no other row."""
    where = and_(visible, *(_clause(criterion, model) for criterion in search.criteria))
    if not search.count:
        return Page(rows=(), total=await _total(tx, model, where), next=None)
    keys = [
        key
        for order in search.sort
        for key in search_pages.keys(_sort_column(order, model), order.descending)
    ]
    keys.append(Key(column=_id(model)))
    columns = columns_of(model)
    sorted_by = [key.column.label(f"sort_{place}") for place, key in enumerate(keys)]
    statement: Select[Any] = select(*columns, *sorted_by).where(where)
    if search.after is not None:
        statement = statement.where(search_pages.after(keys, search.after))
    statement = statement.order_by(*(key.order() for key in keys)).limit(search.count + 1)
    found = await tx.select(statement)
    page = found[: search.count]
    total = None
    if search.with_total:
        whole = search.after is None and len(found) <= search.count
        total = len(found) if whole else await _total(tx, model, where)
    last = search_pages.token(list(page[-1])[len(columns) :]) if len(found) > search.count else None
    return Page(rows=[stored_resource(record) for record in page], total=total, next=last)


async def included(
    tx: Transaction,
    search: Search,
    rows: Sequence[StoredResource],
    includes: Mapping[str, Include],
    *,
    of: Any,
    visible: Callable[[Include], ColumnElement[bool]],
) -> list[tuple[str, StoredResource]]:
    """Give, with their types and each once, the rows that the matches refer to and the caller may see."""
    found: dict[tuple[str, UUID], StoredResource] = {}
    for name in search.includes:
        include = includes[name]
        ids = await _referred(tx, include, rows, of=of)
        if not ids:
            continue
        model = include.model
        columns = columns_of(model)
        statement = select(*columns).where(_id(model).in_(ids), visible(include)).order_by(_id(model))
        for record in await tx.select(statement):
            row = stored_resource(record)
            found[(include.resource_type, row.id)] = row
    return [(resource_type, row) for (resource_type, _), row in found.items()]


async def _referred(
    tx: Transaction, include: Include, rows: Sequence[StoredResource], *, of: Any
) -> list[UUID]:
    if not rows:
        return []
    statement = select(include.column).where(_id(of).in_([row.id for row in rows]))
    held = [record[0] for record in await tx.select(statement)]
    flat = [item for value in held for item in (value if isinstance(value, list) else [value])]
    ids = {search_values.as_uuid(item) for item in flat if item is not None}
    return sorted(found for found in ids if found is not None)


async def _total(tx: Transaction, model: Any, where: ColumnElement[bool]) -> int:
    [counted] = await tx.select(select(func.count(_id(model))).where(where))
    return int(counted[0])


def _criterion(name: str, text: str, params: Params) -> _Criterion:
    base, _, modifier = name.partition(":")
    param = params.get(base)
    if param is None and base not in _OWN_KINDS:
        known = ", ".join(sorted([*params, *_OWN_KINDS, *_CONTROLS]))
        raise NotSupported(f"there is no such search parameter here; there are {known}", expression=base[:64])
    types = param.types if param is not None else ()
    if modifier and modifier not in types:
        text = f"this modifier is not supported; {' or '.join(types) if types else 'none is'}"
        raise NotSupported(text, expression=base)
    kind = param.kind if param is not None else _OWN_KINDS[base]
    values = [f"{modifier}/{value}" if modifier else value for value in search_values.split(text)]
    read = tuple(search_values.read(kind, value, name=base, types=types) for value in values)
    return _Criterion(base, param, read)


def _clause(criterion: _Criterion, model: Any) -> ColumnElement[bool]:
    kind = criterion.param.kind if criterion.param is not None else _OWN_KINDS[criterion.name]
    if criterion.param is not None and criterion.param.matches is not None:
        return or_(*map(criterion.param.matches, criterion.values))
    column = _column(criterion.name, criterion.param, model)
    return or_(*(search_values.clause(kind, column, value) for value in criterion.values))


def _sort(text: str, params: Params) -> tuple[_Order, ...]:
    orders = []
    for part in filter(None, text.split(",")):
        name = part.removeprefix("-")
        param = params.get(name)
        if (param is None and name not in _OWN_KINDS) or (param is not None and param.kind == "tokens"):
            known = ", ".join(sorted([*_OWN_KINDS, *(one for one in params if params[one].kind != "tokens")]))
            raise NotSupported(f"this cannot be sorted by; one can sort by {known}", expression="_sort")
        orders.append(_Order(name, param, part.startswith("-")))
    return tuple(orders)


def _count(text: str | None) -> int:
    if text is None:
        return DEFAULT_COUNT
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise Invalid("a number that is not negative is needed", expression="_count")
    return min(int(text), MAX_COUNT)


def _known_include(text: str, includes: Mapping[str, Include]) -> str:
    if text not in includes:
        known = ", ".join(sorted(includes)) or "nothing"
        raise NotSupported(f"this cannot be included; what can: {known}", expression="_include")
    return text


def _column(name: str, param: SearchParam | None, model: Any) -> Any:
    if param is not None:
        return param.column
    return _id(model) if name == "_id" else model.last_updated


def _sort_column(order: _Order, model: Any) -> Any:
    return _column(order.name, order.param, model)


def _id(model: Any) -> Any:
    return model.id
