"""SQL with named parameters (`:name`), for tests that look into a database."""

import re
from collections import namedtuple
from collections.abc import Iterator, Sequence
from typing import Any

from shared.db import Transaction

_PARAMETER = re.compile(r"(?<!:):([a-z_]+)")


class Answer:
    """The rows of a statement, each with its columns as attributes."""

    def __init__(self, rows: Sequence[Any]) -> None:
        self._rows = rows

    def __iter__(self) -> Iterator[Any]:
        return iter(self._rows)

    def all(self) -> list[Any]:
        """Return every row."""
        return list(self._rows)

    def first(self) -> Any:
        """Return the first row, None without rows."""
        return self._rows[0] if self._rows else None

    def one(self) -> Any:
        """Return the only row; raises ValueError where there are more or none."""
        (row,) = self._rows
        return row

    def scalar(self) -> Any:
        """Return the first column of the first row, None without rows."""
        return self._rows[0][0] if self._rows else None

    def column(self) -> list[Any]:
        """Return the first column of every row."""
        return [row[0] for row in self._rows]


async def sql(tx: Transaction, text: str, **parameters: Any) -> Answer:
    """Run a statement and return its rows."""
    names = list(dict.fromkeys(name for name in _PARAMETER.findall(text) if name in parameters))
    places = {name: f"${place}" for place, name in enumerate(names, 1)}
    statement = _PARAMETER.sub(lambda found: places.get(found[1], found[0]), text)
    records = await tx.records(statement, *(parameters[name] for name in names))
    if not records:
        return Answer([])
    row = namedtuple("row", records[0].keys(), rename=True)  # type: ignore[misc]
    return Answer([row(*record) for record in records])
