"""A page merged from several SELECTs, each of which an index gives in the order of the page.

Invariants:
- Every branch is ordered and cut by itself before the branches are merged, so a page reads at most one page
  of each of them, however many rows there are.
- A count stops at MAX_COUNTED: that many means that many or more.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, func, literal, select, tuple_, union_all

from shared.db import Transaction

# Counting more rows takes longer than a page of them.
MAX_COUNTED = 1000


def merged(
    branches: Sequence[Select[Any]], *, keys: Sequence[str], limit: int, descending: bool = False
) -> Any:
    """Merge branches that select the same columns by name: the first `limit` rows in the order of `keys`.

    Each branch comes in that order; what has no value stands last, in descending order first.
    """
    found = union_all(*(branch.limit(limit) for branch in branches)).subquery("merged")
    order = [found.c[name].desc() if descending else found.c[name] for name in keys]
    return select(found).order_by(*order).limit(limit)


def after(
    columns: Sequence[ColumnElement[Any]], values: Sequence[Any], *, descending: bool = False
) -> ColumnElement[bool]:
    """Hold for the rows of a branch behind one with these values; an index over the columns begins there."""
    here = tuple_(*columns)
    there = tuple_(*(literal(value, column.type) for column, value in zip(columns, values, strict=True)))
    return here < there if descending else here > there


async def counted(tx: Transaction, parts: Iterable[tuple[str, Select[Any]]]) -> dict[str, int]:
    """Count the rows of named SELECTs, up to MAX_COUNTED each; those of one name are added up."""
    totals: dict[str, int] = {}
    each = [
        select(
            literal(name).label("name"),
            select(func.count())
            .select_from(rows.limit(MAX_COUNTED).subquery())
            .scalar_subquery()
            .label("rows"),
        )
        for name, rows in parts
    ]
    if each:
        for record in await tx.select(select(union_all(*each).subquery("counted"))):
            total = totals.get(record["name"], 0) + record["rows"]
            totals[record["name"]] = min(total, MAX_COUNTED)
    return totals
