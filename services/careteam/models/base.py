"""careteam's own metadata: no other service's tables are in it."""

from enum import StrEnum

from sqlalchemy.orm import registry

from shared.db import Row
from shared.db.tables import add_shared_tables


class Base(Row, registry=registry()):
    """What every table of careteam derives from."""


def one_of(column: str, values: type[StrEnum]) -> str:
    """Write the check that a column holds one of these states."""
    return f"{column} IN ({', '.join(repr(str(value)) for value in values)})"


add_shared_tables(Base.metadata)
