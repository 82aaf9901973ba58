"""The rows that a transaction knows: each one object, and what of them and beside them is not sent yet.

Invariants:
- Nothing here talks to the database; `batch` takes what is to be sent, and is told nothing of how that went.
- What a batch has taken counts as being in the database until `undo` says that it is not.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlmodel import SQLModel

from shared.db.mapped import Mapped, changed, is_modified, known_to_database, mapped, mark, settle
from shared.db.writing import Part

Key = tuple[type[SQLModel], tuple[Any, ...]]


class KnownRows:
    """What one transaction has read, added, changed and removed."""

    def __init__(self) -> None:
        self.new: dict[int, SQLModel] = {}
        self.writes: dict[Part, list[tuple[Any, ...]]] = defaultdict(list)
        self._kept: dict[type[SQLModel], dict[int, SQLModel]] = defaultdict(dict)
        self._by_key: dict[Key, SQLModel] = {}
        self._gone: list[SQLModel] = []
        self._written: list[SQLModel] = []

    def add(self, row: SQLModel) -> None:
        """Have this row inserted, as it is then; a row that is known already stays as it is."""
        table = mapped(type(row))
        if id(row) in self.new or id(row) in self._kept[table.model]:
            return
        if known_to_database(row):
            self._keep(table, row)
        else:
            self.new[id(row)] = row
            self._by_key[(table.model, table.key_of(row))] = row

    def remove(self, row: SQLModel) -> None:
        """Have this row deleted."""
        table = mapped(type(row))
        self._by_key.pop((table.model, table.key_of(row)), None)
        if self.new.pop(id(row), None) is None:
            self._kept[table.model].pop(id(row), None)
            self._gone.append(row)

    def known(self, table: Mapped, key: tuple[Any, ...]) -> SQLModel | None:
        """Give the row of a key, None where it was not read or added here."""
        return self._by_key.get((table.model, key))

    def is_new(self, row: SQLModel) -> bool:
        """Tell whether a row was added here and is not in the database yet."""
        return id(row) in self.new

    def is_rewritten(self, table: str) -> bool:
        """Tell whether rows of a table were written or removed here that only the database would give."""
        gone = (mapped(type(row)).name for row in self._gone)
        return any(name == table for name in (*(part.table for part in self.writes), *gone))

    def touched(self) -> set[str]:
        """Name the tables for which something is to be sent."""
        touched = {part.table for part in self.writes}
        touched |= {mapped(type(row)).name for row in (*self.new.values(), *self._gone)}
        for model, rows in self._kept.items():
            if any(is_modified(row) for row in rows.values()):
                touched.add(mapped(model).name)
        return touched

    def taken(self, table: Mapped, record: Sequence[Any], first: int, *, refresh: bool) -> SQLModel | None:
        """Give the row that stands in a record from column `first` on, None where an outer join found none.

        A row that is known stays as it is here, or with `refresh` becomes what was read.
        """
        key = table.key_in(record, first)
        if key[0] is None:
            return None
        known = self._by_key.get((table.model, key))
        if known is None:
            known = table.row(record, first)
            mark(known, key)
            self._keep(table, known)
        elif refresh:
            table.fill(known, record, first)
        return known

    def only_notes(self) -> bool:
        """Tell whether something is to be sent, and all of it are descriptions' rows that nothing counts."""
        rows = (
            self.new
            or self._gone
            or any(is_modified(row) for kept in self._kept.values() for row in kept.values())
        )
        return bool(self.writes) and not rows and not any(part.counted for part in self.writes)

    def batch(self) -> dict[Part, list[tuple[Any, ...]]]:
        """Take everything that is to be sent."""
        batch, self.writes = self.writes, defaultdict(list)
        new, self.new = self.new, {}
        for row in new.values():
            table = mapped(type(row))
            batch[table.insert].append(table.values(row))
            settle(row)
            if table.keeps_key:
                mark(row, table.key_of(row))
                self._written.append(row)
                self._keep(table, row)
        for model, rows in self._kept.items():
            for row in rows.values():
                if is_modified(row):
                    if names := changed(row):
                        table = mapped(model)
                        batch[table.change(names)].append(table.change_values(row, names))
                    settle(row)
        gone, self._gone = self._gone, []
        for row in gone:
            batch[mapped(type(row)).removal].append(mapped(type(row)).key_of(row))
        return batch

    def undo(self) -> None:
        """Note that nothing which was added here has come into the database."""
        for row in self._written:
            mark(row, None)

    def _keep(self, table: Mapped, row: SQLModel) -> None:
        self._kept[table.model][id(row)] = row
        self._by_key[(table.model, table.key_of(row))] = row
