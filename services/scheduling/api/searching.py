"""Query parameters of what is computed and not stored."""

from datetime import date

from shared.errors import NotSupported
from shared.fhir.instants import is_on_a_calendar
from shared.http.request_context import RequestContext


class UnsupportedSearch(NotSupported):
    """The search asks for something that this server does not do."""


def read_day(request: RequestContext, name: str) -> date | None:
    """Read a day from a parameter, None where it was not given; raises UnsupportedSearch for what is none."""
    text = request.query.get(name)
    return None if text is None else day_of(text, name=name)


def day_of(text: str, *, name: str) -> date:
    """Read a day that a parameter names; raises UnsupportedSearch for what is none."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise UnsupportedSearch("a day is written as 2026-03-02", expression=name) from None
    if not is_on_a_calendar(day):
        raise UnsupportedSearch(f"{text!r} lies on no calendar of ours", expression=name)
    return day
