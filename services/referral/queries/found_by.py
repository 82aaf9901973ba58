"""How patients are searched: by the keys of one index (`fhir.found_by`), and by the birth date as text."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Integer, and_, case, literal_column, not_

from services.referral.queries.scope import PATIENTS
from shared.fhir.search_values import Range

_YEAR, _MONTH = timedelta(days=365), timedelta(days=28)


def with_all(keys: Sequence[str]) -> ColumnElement[bool]:
    """Hold for patients with all of these keys."""
    found: ColumnElement[bool] = PATIENTS.found_by.contains(list(keys))
    return found


def with_any(keys: Sequence[str]) -> ColumnElement[bool]:
    """Hold for patients with one of these keys."""
    found: ColumnElement[bool] = PATIENTS.found_by.overlap(list(keys))
    return found


def rank(wholes: Sequence[Sequence[str]]) -> ColumnElement[Any]:
    """Rank a patient before others where all that was searched for are whole parts of the name."""
    first, others = literal_column("0", Integer), literal_column("1", Integer)
    is_whole: list[tuple[ColumnElement[bool], Any]] = [(with_all(keys), first) for keys in wholes]
    return case(*is_whole, else_=others)


def born(asked: Range) -> ColumnElement[bool]:
    """Hold for patients who were born in, before or after a range; a date of which the day is not known is
    in its month or its year, and in nothing shorter.
    """
    column = PATIENTS.birth_date.collate("C")
    low, high = _beginning(asked.low, asked.high - asked.low), _beginning(asked.high, _YEAR)
    inside = and_(column >= low, column < high)
    conditions: dict[str, ColumnElement[bool]] = {
        "eq": inside,
        "ne": not_(inside),
        "gt": column >= high,
        "sa": column >= high,
        "ge": column >= low,
        "lt": column < low,
        "eb": column < low,
        "le": column < high,
    }
    return conditions[asked.prefix]


def _beginning(moment: datetime, lasts: timedelta) -> str:
    """Write a day as shortly as FHIR writes what begins there and lasts so long, or less."""
    if moment.day == 1 and moment.month == 1 and lasts >= _YEAR:
        return f"{moment:%Y}"
    return f"{moment:%Y-%m}" if moment.day == 1 and lasts >= _MONTH else f"{moment:%Y-%m-%d}"
