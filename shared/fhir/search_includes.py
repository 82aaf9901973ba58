"""What a page adds to its matches: the rows that they refer to, and the rows that refer to them.

Invariants:
- Each row comes once, and only where the caller may see it.
- Of what refers to the matches no more than MAX_REVERSE of each kind come; `cut` says where there are more.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Uuid, or_, select

from shared.db import Transaction
from shared.db.models import StoredResource, columns_of, stored_resource
from shared.fhir.search import Include, Reverse, Search

MAX_REVERSE = 1000
Visible = Callable[[str, Any], ColumnElement[bool]]


@dataclass(slots=True)
class Included:
    """Rows with their types, each once; `cut` names the references of which not all rows are there."""

    rows: list[tuple[str, StoredResource]] = field(default_factory=list)
    cut: list[str] = field(default_factory=list)

    def add(self, resource_type: str, row: StoredResource) -> None:
        """Add a row that is not there yet."""
        if all((resource_type, row.id) != (kind, known.id) for kind, known in self.rows):
            self.rows.append((resource_type, row))


async def included(
    tx: Transaction,
    search: Search,
    rows: Sequence[StoredResource],
    includes: Mapping[str, Include],
    *,
    reverses: Mapping[str, Reverse],
    of: Any,
    visible: Visible,
) -> Included:
    """Find what a page of rows of the model `of` includes.

    `visible(resource_type, rule)` is the condition under which the caller may see a row of a type.
    """
    found = Included()
    if not rows:
        return found
    for include in (includes[name] for name in search.includes):
        condition = visible(include.resource_type, include.visible)
        for row in await _referred(tx, include, rows, of=of, visible=condition):
            found.add(include.resource_type, row)
    for name in search.revincludes:
        reverse = reverses[name]
        condition = visible(reverse.resource_type, reverse.visible)
        referring = await _referring(tx, reverse, rows, visible=condition)
        if len(referring) > MAX_REVERSE:
            found.cut.append(name)
        for row in referring[:MAX_REVERSE]:
            found.add(reverse.resource_type, row)
    return found


async def _referred(
    tx: Transaction,
    include: Include,
    rows: Sequence[StoredResource],
    *,
    of: Any,
    visible: ColumnElement[bool],
) -> list[StoredResource]:
    statement = select(include.column).where(of.id.in_([row.id for row in rows]), *_holds(include))
    held = [record[0] for record in await tx.select(statement)]
    flat = [item for value in held for item in (value if isinstance(value, list) else [value])]
    ids = {found for item in flat if item is not None and (found := include.key(item))}
    if not ids:
        return []
    model = include.model
    wanted = select(*columns_of(model)).where(model.id.in_(sorted(ids)), visible).order_by(model.id)
    return [stored_resource(record) for record in await tx.select(wanted)]


async def _referring(
    tx: Transaction, reverse: Reverse, rows: Sequence[StoredResource], *, visible: ColumnElement[bool]
) -> list[StoredResource]:
    model, include = reverse.model, reverse.include
    statement = (
        select(*columns_of(model))
        .where(_names_one_of(include.column, rows), visible, *_holds(include))
        .order_by(model.id)
        .limit(MAX_REVERSE + 1)
    )
    return [stored_resource(record) for record in await tx.select(statement)]


def _names_one_of(column: Any, rows: Sequence[StoredResource]) -> ColumnElement[bool]:
    many = isinstance(column.type, ARRAY)
    kind = column.type.item_type if many else column.type
    values = [row.id if isinstance(kind, Uuid) else row.fhir_id for row in rows]
    found: ColumnElement[bool] = column.overlap(values) if many else column.in_(values)
    return found if values else or_(False)


def _holds(include: Include) -> list[ColumnElement[bool]]:
    return [] if include.holds is None else [include.holds]
