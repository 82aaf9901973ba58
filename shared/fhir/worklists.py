"""A service's worklist: what is to be done, of several kinds, the most urgent first, a page at a time.

Invariants:
- Rows stand by urgency, then by `due` (the earliest first, without one last), then `since`, then id. What is
  overdue is urgent, whatever its kind.
- The pages of one list are read as of the moment of its first page, which the token carries: what becomes
  overdue meanwhile does not jump over a page, and what ends is left out.
- Each source has an index over due, since and id whose condition is what its `where` holds `fixed`. Where the
  index begins with the column of the row scope (a site, an owner, a requester), a page reads a page of it
  (merged_pages); where the scope is what a team or a review says (careteam's cases and plans, what a
  coordinator sees of actions, a clinician's reviews), it passes by the open rows of others, which are few.
- A source lists rows inside the caller's row scope alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, DateTime, Select, and_, literal, literal_column, null, select
from sqlalchemy.types import Interval
from sqlmodel import col

from shared.db import Transaction
from shared.errors import Invalid
from shared.fhir import merged_pages, search_pages
from shared.fhir.instants import is_on_a_calendar, to_the_second

_KEYS = ("urgency", "due", "since", "id")
_MOMENT = DateTime(timezone=True)
# What `sqlmodel.col` gives: its type is a descriptor, which no field of a dataclass can have.
Column = Any


class Urgency(IntEnum):
    """How urgent a row is, the most urgent first."""

    STOP = 0
    RISK = 1
    TURN = 2
    WAITING = 3

    @property
    def code(self) -> str:
        """How it is written."""
        return self.name.lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class WorklistSource:
    """Rows of one kind: where they come from, and by which columns they are sorted.

    A row is due `due_after` later than its column `due` says; without the column it never is. Rows that are
    not overdue have this urgency. `resource_type` is what the caller needs the scope to search for.
    """

    kind: str
    resource_type: str
    urgency: Urgency
    id: Column
    since: Column
    where: ColumnElement[bool]
    due: Column | None = None
    due_after: timedelta = timedelta()


@dataclass(frozen=True, slots=True, kw_only=True)
class WorklistEntry:
    """Where a row stands in the list; `id` is that of the row that its source sorts."""

    kind: str
    urgency: Urgency
    due: datetime | None
    since: datetime
    id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class WorklistPage:
    """A page of entries, how many rows there are of each kind, and the token of the next page."""

    entries: Sequence[WorklistEntry]
    counts: Mapping[str, int]
    total: int
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorklistRow:
    """A row as it is shown: `resource` is the Task or the Appointment, `focus` what it is about.

    `patient_id` and `site` are whose and where it is, for the audit; `actions` are those that the caller may
    do now (`operations.possible`).
    """

    entry: WorklistEntry
    resource: str
    focus: str
    state: str
    reason: Mapping[str, Any]
    site: str
    patient_id: str | None = None
    patient: Mapping[str, Any] | None = None
    referral: str | None = None
    programme: str | None = None
    requester: Mapping[str, Any] | None = None
    owner: Mapping[str, Any] | None = None
    rules: Sequence[Mapping[str, Any]] = ()
    actions: Sequence[Mapping[str, Any]] = field(default_factory=list)

    def written(self) -> dict[str, Any]:
        """Write the row as the answer has it."""
        entry = self.entry
        return {
            "id": self.resource.partition("/")[2],
            "kind": entry.kind,
            "focus": self.focus,
            "resource": self.resource,
            "patient": self.patient,
            "referral": self.referral,
            "programme": self.programme,
            "requester": self.requester,
            "state": self.state,
            "urgency": entry.urgency.code,
            "reason": self.reason,
            "rules": list(self.rules),
            "since": to_the_second(entry.since),
            "due": None if entry.due is None else to_the_second(entry.due),
            "owner": self.owner,
            "actions": list(self.actions),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Branch:
    """The part of a source in which all rows are equally urgent, and all or none of them have a `due`."""

    source: WorklistSource
    urgency: Urgency
    has_due: bool
    where: ColumnElement[bool]


def fixed(attribute: Any, *values: str) -> ColumnElement[bool]:
    """Compare with constants, as the conditions of the indexes do: a parameter would not match them."""
    return col(attribute).in_([literal_column(f"'{value}'") for value in values])


async def read(
    tx: Transaction,
    sources: Sequence[WorklistSource],
    *,
    at: datetime,
    kinds: Sequence[str],
    count: int,
    after: str | None,
) -> WorklistPage:
    """Read a page of these kinds, and count the rows of all sources; raises Invalid for a foreign token."""
    last, as_of = (None, at) if after is None else _read_token(after)
    branches = [
        statement
        for source in sources
        if source.kind in kinds
        for branch in _branches(source, as_of)
        if (statement := _statement(branch, last)) is not None
    ]
    found = []
    if branches and count:
        found = await tx.select(merged_pages.merged(branches, keys=_KEYS, limit=count + 1))
    entries = [_entry(record) for record in found[:count]]
    counts = dict.fromkeys((source.kind for source in sources), 0)
    each = ((source.kind, select(source.id).where(source.where)) for source in sources)
    counts |= await merged_pages.counted(tx, each)
    return WorklistPage(
        entries=entries,
        counts=counts,
        total=sum(counts[kind] for kind in dict.fromkeys(kinds) if kind in counts),
        next=_token(entries[-1], as_of) if len(found) > count else None,
    )


def _branches(source: WorklistSource, at: datetime) -> Iterator[_Branch]:
    due, where = source.due, source.where
    if due is None:
        yield _Branch(source=source, urgency=source.urgency, has_due=False, where=where)
        return
    limit = literal(at - source.due_after, _MOMENT)
    overdue = and_(where, due <= limit)
    yield _Branch(source=source, urgency=Urgency.STOP, has_due=True, where=overdue)
    yield _Branch(source=source, urgency=source.urgency, has_due=True, where=and_(where, due > limit))
    if getattr(due, "nullable", True):
        without = and_(where, due.is_(None))
        yield _Branch(source=source, urgency=source.urgency, has_due=False, where=without)


def _statement(branch: _Branch, last: WorklistEntry | None) -> Select[Any] | None:
    """Select what of a branch stands behind the last row of the page before; None where nothing does."""
    source, where = branch.source, branch.where
    if last is not None and branch.urgency < last.urgency:
        return None
    if last is not None and branch.urgency == last.urgency:
        if last.due is not None and branch.has_due and source.due is not None:
            values = (last.due - source.due_after, last.since, last.id)
            where = and_(where, merged_pages.after((source.due, source.since, source.id), values))
        elif last.due is None and branch.has_due:
            return None
        elif last.due is None:
            where = and_(where, merged_pages.after((source.since, source.id), (last.since, last.id)))
    due = null().cast(_MOMENT) if source.due is None else source.due + literal(source.due_after, Interval)
    order = (source.since, source.id) if source.due is None else (source.due, source.since, source.id)
    columns: list[Any] = [
        literal(source.kind).label("kind"),
        literal(int(branch.urgency)).label("urgency"),
        due.label("due"),
        source.since.label("since"),
        source.id.label("id"),
    ]
    return select(*columns).where(where).order_by(*order)


def _entry(record: Mapping[str, Any]) -> WorklistEntry:
    return WorklistEntry(
        kind=record["kind"],
        urgency=Urgency(record["urgency"]),
        due=record["due"],
        since=record["since"],
        id=record["id"],
    )


def _token(last: WorklistEntry, at: datetime) -> str:
    return search_pages.token([int(last.urgency), last.due, last.since, last.id, at])


def _read_token(text: str) -> tuple[WorklistEntry, datetime]:
    values = search_pages.values_of(text)
    match values:
        case [int(urgency), due, datetime() as since, UUID() as id, datetime() as at] if (
            urgency in list(Urgency)
            and (due is None or isinstance(due, datetime))
            and all(moment.tzinfo and is_on_a_calendar(moment.date()) for moment in (due or at, since, at))
        ):
            return WorklistEntry(kind="", urgency=Urgency(urgency), due=due, since=since, id=id), at
    raise Invalid("this token is of another list", expression="_after")
