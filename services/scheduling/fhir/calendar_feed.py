"""The days of a clinician or a room as an iCalendar file (RFC 5545), without a name of any patient."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from urllib.parse import urlsplit

from icalendar import Calendar, Event
from icalendar.enums import STATUS, TRANSP

from services.scheduling import texts, texts_fr
from services.scheduling.models.calendar_links import CalendarLink
from services.scheduling.models.rows import Appointment
from services.scheduling.models.spans import Span
from shared.context import Context

_WORDS = {"en": texts.CALENDAR, "fr": texts_fr.CALENDAR}
LANGUAGES = tuple(_WORDS)
# Calendar programs ask again so often, where they heed it.
_ASK_AGAIN = timedelta(minutes=15)


def render(ctx: Context, link: CalendarLink, rows: Sequence[Appointment], *, away: Iterable[Span]) -> bytes:
    """Write visits, and when the clinician is away; the same rows give the same bytes."""
    calendar = Calendar.new(
        name=ctx.clinic.name_of(*link.shows),
        uid=link.id,
        refresh_interval=_ASK_AGAIN,
        prodid="-//Lumbar//scheduling//EN",
    )
    host = urlsplit(ctx.urls.base).hostname or "localhost"
    for row in rows:
        calendar.add_component(_visit(ctx, row, host=host, words=_WORDS[link.language]))
    for span in away:
        calendar.add_component(_absence(link, span, host=host))
    written: bytes = calendar.to_ical()
    return written


def _visit(ctx: Context, row: Appointment, *, host: str, words: Mapping[str, str]) -> Event:
    """Write a visit: what kind it is, where, and the page that says for whom behind a sign-in."""
    event = Event.new(
        uid=f"{row.group_session or row.id}@{host}",
        summary=_name(ctx, row, words=words),
        start=row.starts_at,
        end=row.ends_at,
        location=ctx.clinic.name_of("Location", row.room) if row.room else None,
        url=f"{ctx.urls.base}/visits/{row.id}",
        stamp=row.last_updated,
        last_modified=row.last_updated,
        status=STATUS.CONFIRMED,
    )
    if row.group_session is None:
        event.sequence = row.version
    return event


def _name(ctx: Context, row: Appointment, *, words: Mapping[str, str]) -> str:
    """Name the kind of a visit as the clinic does, else as everybody does."""
    programme = next((one for one in ctx.clinic.programmes if one.id == row.programme), None)
    types = () if programme is None else programme.visits
    named = next((visit.name for visit in types if visit.id == row.visit_type), None)
    return named or words[row.kind]


def _absence(link: CalendarLink, span: Span, *, host: str) -> Event:
    """Write a time at which the clinician is away, and nothing of why."""
    day = span.start.strftime("%Y%m%dT%H%M%SZ")
    return Event.new(
        uid=f"away-{link.practitioner}-{day}@{host}",
        summary=_WORDS[link.language]["away"],
        start=span.start,
        end=span.end,
        stamp=span.start,
        transparency=TRANSP.OPAQUE,
    )
