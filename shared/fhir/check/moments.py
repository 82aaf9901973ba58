"""Comparing two FHIR dates of any precision."""

from datetime import datetime
from typing import Any


def comes_after(first: Any, second: Any) -> bool:
    """Say whether one date is certainly after another, to the precision that both have.

    A value that is no well-formed date is after nothing: the format was told already.
    """
    if not isinstance(first, str) or not isinstance(second, str):
        return False
    shorter = min(len(first), len(second), 10)
    if len(first) <= 10 or len(second) <= 10:
        return first[:shorter] > second[:shorter]
    start, end = _moment(first), _moment(second)
    return start is not None and end is not None and start > end


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(
            text.replace(":60", ":59", 1)
        )  # a leap second; :60 stands nowhere else
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None
