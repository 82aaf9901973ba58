"""Keyset paging: a page ends with a token of its last row's sort keys, so pages stay right while rows come.

What is missing is the smallest: it stands first in ascending order and last in descending order, so one index
serves both.
"""

import base64
import binascii
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import ColumnElement, and_, false, or_

from shared.errors import Invalid

_READERS: Mapping[str, Callable[[Any], Any]] = {
    "t": datetime.fromisoformat,
    "d": date.fromisoformat,
    "u": UUID,
    "v": lambda value: value,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One sort key and its direction."""

    column: Any
    descending: bool = False

    def order(self) -> Any:
        """Give the ORDER BY of this key."""
        if not getattr(self.column, "nullable", True):
            return self.column.desc() if self.descending else self.column.asc()
        return self.column.desc().nulls_last() if self.descending else self.column.asc().nulls_first()

    def fits(self, value: Any) -> bool:
        """Say whether a value from outside can be compared with the column."""
        if value is None:
            return True
        if not isinstance(value, self.column.type.python_type) or isinstance(value, bool):
            return False
        if isinstance(value, datetime):
            return value.tzinfo is not None
        return abs(value) < 2**31 if isinstance(value, int) else "\x00" not in str(value)

    def past(self, value: Any) -> ColumnElement[bool]:
        """Hold for rows that come after this value."""
        if value is None:
            return false() if self.descending else self.column.is_not(None)
        if not self.descending:
            return cast(ColumnElement[bool], self.column > value)
        return or_(self.column < value, self.column.is_(None))

    def same(self, value: Any) -> ColumnElement[bool]:
        """Hold for rows with this value."""
        found: ColumnElement[bool] = self.column.is_(None) if value is None else self.column == value
        return found


def token(values: Sequence[Any]) -> str:
    """Write the sort keys of a row as an opaque token."""
    return base64.urlsafe_b64encode(json.dumps([_written(value) for value in values]).encode()).decode()


def after(sort: Sequence[Key], text: str) -> ColumnElement[bool]:
    """Hold for the rows after the one that a token was written for; raises Invalid for another's token."""
    values = values_of(text)
    if len(values) != len(sort) or not all(key.fits(value) for key, value in zip(sort, values, strict=True)):
        raise Invalid("this token is of another search", expression="_after")
    return or_(
        *(
            and_(
                *(key.same(value) for key, value in zip(sort[:place], values, strict=False)),
                sort[place].past(values[place]),
            )
            for place in range(len(sort))
        )
    )


def values_of(text: str) -> list[Any]:
    """Read the values that a token was written for; raises Invalid for what is no token of ours."""
    try:
        parts = json.loads(base64.urlsafe_b64decode(text.encode()))
        return [_READERS[kind](value) for kind, value in parts]
    except (binascii.Error, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise Invalid("this is no token of ours", expression="_after") from None


def _written(value: Any) -> list[Any]:
    if isinstance(value, datetime):
        return ["t", value.isoformat()]
    if isinstance(value, date):
        return ["d", value.isoformat()]
    return ["u", str(value)] if isinstance(value, UUID) else ["v", value]
