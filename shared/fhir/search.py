"""FHIR search over a service's own columns: parameters declared, never parsed twice, always inside the row
scope.

`search_query.parse` reads a query, `run` gives one page of what the caller may see, `search_includes` what
the matches refer to and what refers to them. A repeated parameter is and, a comma is or (R4 search.html
3.1.1.3).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, false, func, not_, or_, select

from shared.db import Transaction
from shared.db.models import StoredResource, columns_of, stored_resource
from shared.errors import Problem
from shared.fhir import search_pages, search_values
from shared.fhir.merged_pages import MAX_COUNTED
from shared.fhir.search_pages import Key
from shared.fhir.subsets import WHOLE, Subset

Kind = Literal["token", "coding", "tokens", "reference", "date", "string"]

DEFAULT_COUNT = 50
MAX_COUNT = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchParam:
    """One search parameter and the column behind it.

    token: a column with an element of type code, given as `code`, `system|code` or `|code`, commas mean or;
    coding: a column with the code of a Coding, given as `code` or `system|code`; `system` is the code system
    of either, and a code of another one matches nothing. tokens: a text[] column of `system|value`
    (identifiers); reference: a text or UUID column that holds the bare id, given as `Type/id`, `id` or an
    absolute URL of this clinic, with `types` as the allowed types; date: a timestamptz column, with prefixes
    eq, ne, gt, ge, lt, le; string: a text column, matched from its start without case and accents. A
    reference column may also be an array of ids. Where a string may as well stand in another column, `also`
    names these; where no single column decides otherwise, `matches` gives the condition of a value. `column`
    is what is sorted by. Where nothing else is, matches stand in the order of `rank` of the values,
    the lowest first. What a form says by a parameter that `names_a_person` stands in no link.
    """

    kind: Kind
    column: Any
    types: tuple[str, ...] = ()
    system: str | None = None
    also: tuple[Any, ...] = ()
    matches: Callable[[Any], ColumnElement[bool]] | None = None
    rank: Callable[[Sequence[Any]], ColumnElement[Any]] | None = None
    names_a_person: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Include:
    """A reference that `_include=Type:param` follows: rows of `model` whose id stands in `column` of a match.

    `_revinclude=Type:param` follows it the other way. `visible` is the row scope of the included type; a row
    that the caller may not see is not included. Only rows for which `holds` make the reference at all. `key`
    gives the id of the row that what stands in `column` names, where that is not the row's own.
    """

    resource_type: str
    model: Any
    column: Any
    visible: Any
    holds: ColumnElement[bool] | None = None
    key: Callable[[Any], UUID | None] = search_values.as_uuid


@dataclass(frozen=True, slots=True, kw_only=True)
class Reverse:
    """A reference to the type that is searched: from rows of `model`, whose row scope is `visible`."""

    resource_type: str
    model: Any
    visible: Any
    include: Include


Params = Mapping[str, SearchParam]


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """One parameter as it was given: any of its values must match. `param` is None for `_id` and the like."""

    name: str
    param: SearchParam | None
    values: tuple[Any, ...]
    modifier: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One parameter that is sorted by."""

    name: str
    param: SearchParam | None
    descending: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """A query that was read: what must hold, in which order, which page, what to add, how much of each.

    `counts_all` asks for a total however many there are. `notes` say what was not supported and is ignored.
    """

    criteria: tuple[Criterion, ...] = ()
    sort: tuple[Order, ...] = ()
    count: int = DEFAULT_COUNT
    after: str | None = None
    includes: tuple[str, ...] = ()
    revincludes: tuple[str, ...] = ()
    with_total: bool = True
    counts_all: bool = False
    subset: Subset = WHOLE
    notes: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page: its rows in order, how many there are in all, and the `_after` of the next page."""

    rows: Sequence[StoredResource]
    total: int | None
    next: str | None


OWN_KINDS: Mapping[str, Kind] = {"_id": "reference", "_lastUpdated": "date"}


async def run(tx: Transaction, search: Search, model: Any, visible: ColumnElement[bool]) -> Page:
    """Give one page of the rows that match and that the caller may see; the total counts no other row."""
    where = and_(visible, *(_clause(criterion, model) for criterion in search.criteria))
    if not search.count:
        return Page(rows=(), total=await _total(tx, model, where, all_=True), next=None)
    keys = [
        Key(column=_column(order.name, order.param, model), descending=order.descending)
        for order in search.sort
    ]
    keys += _ranks(search) if not search.sort else []
    keys.append(Key(column=model.id))
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
        total = len(found) if whole else await _total(tx, model, where, all_=search.counts_all)
    last = search_pages.token(list(page[-1])[len(columns) :]) if len(found) > search.count else None
    return Page(rows=[stored_resource(record) for record in page], total=total, next=last)


def _ranks(search: Search) -> list[Key]:
    """Give the order in which the matches of a search stand that asks for none."""
    return [
        Key(column=criterion.param.rank(criterion.values))
        for criterion in search.criteria
        if criterion.param is not None and criterion.param.rank is not None and not criterion.modifier
    ]


async def _total(tx: Transaction, model: Any, where: ColumnElement[bool], *, all_: bool) -> int | None:
    """Count the matches; beyond MAX_COUNTED no total is told unless all are to be counted
    (`_total=accurate`): that takes longer than the page itself.
    """
    matches = select(model.id).where(where)
    counted_ones = (matches if all_ else matches.limit(MAX_COUNTED + 1)).subquery()
    [counted] = await tx.select(select(func.count()).select_from(counted_ones))
    return int(counted[0]) if all_ or counted[0] <= MAX_COUNTED else None


def _clause(criterion: Criterion, model: Any) -> ColumnElement[bool]:
    param = criterion.param
    column = _column(criterion.name, param, model)
    if criterion.modifier == "missing":
        is_missing = search_values.missing(column)
        return is_missing if criterion.values == (True,) else not_(is_missing)
    if param is not None and param.matches is not None:
        # None is another server's resource.
        matched = or_(false(), *(param.matches(value) for value in criterion.values if value is not None))
        return or_(not_(matched), search_values.missing(column)) if criterion.modifier == "not" else matched
    kind = param.kind if param is not None else OWN_KINDS[criterion.name]
    system = param.system if param is not None else None
    found = or_(
        *(
            search_values.clause(kind, one, value, modifier=criterion.modifier, system=system)
            for value in criterion.values
            for one in (column, *(param.also if param is not None else ()))
        )
    )
    # What is not said is none of the codes (R4 search.html 3.1.1.5.5).
    return or_(not_(found), search_values.missing(column)) if criterion.modifier == "not" else found


def _column(name: str, param: SearchParam | None, model: Any) -> Any:
    if param is not None:
        return param.column
    return model.id if name == "_id" else model.last_updated
