"""Let a calendar program read the days of a clinician or a room by a secret link, until it is revoked."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from services.scheduling import fhir, queries, rules
from services.scheduling.models.calendar_links import CalendarLink
from services.scheduling.models.rows import Appointment
from services.scheduling.models.spans import Span
from shared.clinic import Person
from shared.context import Context
from shared.db import Transaction
from shared.errors import NotFound

_BACK, _AHEAD = timedelta(weeks=4), timedelta(weeks=26)


class NoSuchLink(NotFound):
    """There is no calendar behind this link: it was never there, or it was revoked."""


async def run(ctx: Context, tx: Transaction, link: CalendarLink) -> CalendarLink:
    """Keep a new link."""
    await tx.insert(link)
    return link


async def list_links(ctx: Context, tx: Transaction) -> Sequence[CalendarLink]:
    """List the links that stand: of the coordinator's site, or a clinician's own."""
    return await queries.calendar_links.of_site(
        tx, str(ctx.caller.site), practitioner=ctx.caller.practitioner
    )


async def revoke(ctx: Context, tx: Transaction, id: UUID) -> None:
    """End a link of the coordinator's site, or a clinician's own; raises NoSuchLink."""
    site, own = str(ctx.caller.site), ctx.caller.practitioner
    if not await queries.calendar_links.revoke(tx, id, site=site, practitioner=own, at=ctx.at):
        raise NoSuchLink(f"there is no link {id} here that stands and that is yours to revoke")


async def read(ctx: Context, tx: Transaction, mark: bytes) -> bytes:
    """Write the calendar behind a link as an iCalendar file: four weeks back and half a year ahead.

    It names no patient. Raises NoSuchLink, also where the clinician or the room is no longer of the clinic.
    """
    link = await queries.calendar_links.by_mark(tx, mark)
    if link is None or link.revoked_at is not None:
        raise NoSuchLink
    whose = _whose(ctx, link)
    window = Span(ctx.at - _BACK, ctx.at + _AHEAD)
    rows = _once_each(await queries.calendar_links.visits(tx, link, window=window))
    site = ctx.clinic.site(link.site)
    # Whole absences, not what of them lies in the window: that would be another event at every reading.
    absences = () if whose is None else whose.absences
    away = [rules.calendar.absent_span(absence, site.zone) for absence in absences]
    seen = [span for span in away if span.meets(window)]
    return fhir.calendar_feed.render(ctx, link, rows, away=seen)


def _whose(ctx: Context, link: CalendarLink) -> Person | None:
    """Find the clinician of a link, None for a room; raises NoSuchLink where either has gone."""
    site = next((site for site in ctx.clinic.sites if site.id == link.site), None)
    if link.practitioner is None:
        if site is None or link.room not in {room.id for room in site.rooms}:
            raise NoSuchLink
        return None
    people = (one for one in ctx.clinic.people if (one.id, one.site) == (link.practitioner, link.site))
    person = next(people, None)
    if person is None or site is None:
        raise NoSuchLink
    return person


def _once_each(rows: Sequence[Appointment]) -> list[Appointment]:
    """Leave one row of each group session: its patients' seats are one entry of a calendar."""
    return list({row.group_session or row.id: row for row in reversed(rows)}.values())[::-1]
