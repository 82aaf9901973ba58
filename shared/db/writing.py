"""Many rows of many tables, written by one prepared statement.

Invariants:
- A statement is made once for each set of parts, never for a number of rows: rows travel as one array a
  column (`INSERT ... SELECT ... FROM unnest(...)`), all parts as common table expressions of one statement.
  A part of a single row is sent as plain values, which PostgreSQL plans and runs in half the time.
- All parts see the database as it was before the statement; foreign keys are checked when all have run, so
  the order of the parts means nothing to them. Two parts never touch the same row.
- The rows of one part are written in the order in which they were added.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

from shared.db.columns import Column, Rows, as_parameters, columns_of, given

_LAST = 100
# How many ways to be of one row or of several the same parts may take: each text is planned anew.
_MOST_SHAPES = 4

_shapes: dict[tuple["Part", ...], set[tuple[bool, ...]]] = {}


class Part(Protocol):
    """What a statement is made of: `sql` with its parameters, one for each of `sends`, from `first` on.

    Where it is `counted`, as many rows must have changed as were given. `chosen` are the rows that are sent.
    """

    @property
    def table(self) -> str: ...
    @property
    def sends(self) -> tuple[Column, ...]: ...
    @property
    def counted(self) -> bool: ...

    def sql(self, first: int, *, single: bool) -> str: ...

    def chosen(self, rows: Rows) -> Rows: ...


Batch = Mapping[Part, Rows]


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
        return cls(table, columns_of(columns), conflict, key, in_order, claim)

    @property
    def sends(self) -> tuple[Column, ...]:
        """The columns that become parameters."""
        return self.columns

    @property
    def counted(self) -> bool:
        """Only a claim must come through; another row may be left out, if `conflict` says so."""
        return self.claim > 0

    def sql(self, first: int, *, single: bool) -> str:
        """Write the INSERT."""
        names = ", ".join(f'"{column.name}"' for column in self.columns)
        values = ", ".join(f'"{column.name}"{column.cast}' for column in self.columns)
        source = given(self.sends, first, single=single)
        rows = f"{source} AS r ({names})"
        if self.in_order and not single:
            rows = f"{source} WITH ORDINALITY AS r ({names}, nth) ORDER BY nth"
        insert = f'INSERT INTO "{self.table}" ({names}) SELECT {values} FROM {rows}'  # noqa: S608
        return f"{insert} {self.conflict}{' RETURNING 1' if self.claim else ''}"

    def chosen(self, rows: Rows) -> Rows:
        """Leave out what is older than another row of its key, and put claims in order."""
        if self.key:
            places = [[column.name for column in self.columns].index(name) for name in self.key]
            rows = list({tuple(row[place] for place in places): row for row in rows}.values())
        if self.claim:
            rows = sorted(rows, key=tuple)
        return rows


@dataclass(frozen=True, eq=False)
class Change:
    """An UPDATE of rows known by their key: tuples of the key's columns, then the new values."""

    table: str
    key: tuple[Column, ...]
    columns: tuple[Column, ...]

    @property
    def sends(self) -> tuple[Column, ...]:
        """The columns that become parameters."""
        return (*self.key, *self.columns)

    @property
    def counted(self) -> bool:
        """Every row was read before, so it is there."""
        return True

    def sql(self, first: int, *, single: bool) -> str:
        """Write the UPDATE."""
        named = [*(f"k_{column.name}" for column in self.key), *(column.name for column in self.columns)]
        names = ", ".join(f'"{name}"' for name in named)
        sets = ", ".join(f'"{column.name}" = r."{column.name}"{column.cast}' for column in self.columns)
        rows = f"{given(self.sends, first, single=single)} AS r ({names})"
        update = f'UPDATE "{self.table}" AS t SET {sets} FROM {rows}'  # noqa: S608
        return f"{update} WHERE {_same(self.key)} RETURNING 1"

    def chosen(self, rows: Rows) -> Rows:
        """Send every row."""
        return rows


@dataclass(frozen=True, eq=False)
class Removal:
    """A DELETE of rows known by their key."""

    table: str
    key: tuple[Column, ...]

    @property
    def sends(self) -> tuple[Column, ...]:
        """The columns that become parameters."""
        return self.key

    @property
    def counted(self) -> bool:
        """A row that is gone already is as it should be."""
        return False

    def sql(self, first: int, *, single: bool) -> str:
        """Write the DELETE."""
        names = ", ".join(f'"k_{column.name}"' for column in self.key)
        rows = f"{given(self.sends, first, single=single)} AS r ({names})"
        return f'DELETE FROM "{self.table}" AS t USING {rows} WHERE {_same(self.key)}'  # noqa: S608

    def chosen(self, rows: Rows) -> Rows:
        """Send every row."""
        return rows


@dataclass(frozen=True, eq=False)
class Unchanged:
    """No write: rows that must be in the database with these values when the statement runs."""

    table: str
    columns: tuple[Column, ...]

    @classmethod
    def of(cls, table: str, columns: Mapping[str, str]) -> "Unchanged":
        """Describe the rows by the PostgreSQL type of each column that is compared; one row for each."""
        return cls(table, columns_of(columns))

    @property
    def sends(self) -> tuple[Column, ...]:
        """The columns that become parameters."""
        return self.columns

    @property
    def counted(self) -> bool:
        """Every row must be as it was read."""
        return True

    def sql(self, first: int, *, single: bool) -> str:
        """Write the SELECT."""
        names = ", ".join(f'"k_{column.name}"' for column in self.columns)
        rows = f"{given(self.sends, first, single=single)} AS r ({names})"
        return f'SELECT 1 FROM {rows} JOIN "{self.table}" AS t ON {_same(self.columns)}'  # noqa: S608

    def chosen(self, rows: Rows) -> Rows:
        """Send every row."""
        return rows


def statement(batch: Batch) -> tuple[str, list[Any]]:
    """Make the statement that writes a batch, and its parameters."""
    parts, shape, chosen, values = _put_in_order(batch)
    if any(part.counted for part in parts):
        values.append(sum(len(rows) for part, rows in zip(parts, chosen, strict=True) if part.counted))
    return _text(parts, shape), values


def carried(select: str, values: Sequence[Any], batch: Batch) -> tuple[str, list[Any]]:
    """Make one statement of a SELECT (with its parameters) and of a batch of which nothing is counted."""
    parts, shape, _, more = _put_in_order(batch)
    return f"WITH {', '.join(_pieces(parts, shape, len(values) + 1))} {select}", [*values, *more]


def _put_in_order(
    batch: Batch,
) -> tuple[tuple[Part, ...], tuple[bool, ...], Sequence[Rows], list[Any]]:
    """Give the parts in their order, which are a single row, the rows that are sent, and the parameters."""
    parts = tuple(sorted(batch, key=_place))
    chosen = [part.chosen(batch[part]) for part in parts]
    shape = _shape(parts, tuple([len(rows) == 1 for rows in chosen]))
    values: list[Any] = []
    for part, rows, single in zip(parts, chosen, shape, strict=True):
        values += as_parameters(part.sends, rows, single=single)
    return parts, shape, chosen, values


def _shape(parts: tuple[Part, ...], single: tuple[bool, ...]) -> tuple[bool, ...]:
    """Say which parts are sent as a single row: not where these parts have come in too many ways already."""
    known = _shapes.setdefault(parts, set())
    if single not in known:
        if len(known) >= _MOST_SHAPES:
            return (False,) * len(parts)
        known.add(single)
    return single


@lru_cache(maxsize=2000)
def _text(parts: tuple[Part, ...], shape: tuple[bool, ...]) -> str:
    pieces = _pieces(parts, shape, 1)
    counted = [number for number, part in enumerate(parts) if part.counted]
    if not counted:
        return f"WITH {', '.join(pieces)} SELECT 1"
    # A claim that is taken or a row that is gone must undo the rest: the only error that a SELECT can raise
    # itself, and one that tells the server's log nothing about a person.
    counts = " + ".join(f"(SELECT count(*) FROM w{number})" for number in counted)  # noqa: S608
    first = 1 + sum(len(part.sends) for part in parts)
    return f"WITH {', '.join(pieces)} SELECT 1 / (({counts}) = ${first}::bigint)::int"


def _pieces(parts: tuple[Part, ...], shape: tuple[bool, ...], first: int) -> list[str]:
    pieces = []
    for number, (part, single) in enumerate(zip(parts, shape, strict=True)):
        pieces.append(f"w{number} AS ({part.sql(first, single=single)})")
        first += len(part.sends)
    return pieces


def _place(part: Part) -> tuple[int, str, str]:
    """Every statement claims and writes in one order, so that two of them do not wait for each other."""
    return getattr(part, "claim", 0) or _LAST, part.table, type(part).__name__


def _same(key: Sequence[Column]) -> str:
    return " AND ".join(f't."{column.name}" = r."k_{column.name}"' for column in key)
