"""Links to calendars, and the visits that they show."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from services.scheduling.models.calendar_links import CalendarLink
from services.scheduling.models.rows import Appointment
from services.scheduling.models.spans import Span
from services.scheduling.queries.calendar import SHOWN
from shared.db import Transaction

_BY_MARK = "SELECT * FROM calendar_link WHERE mark = $1"
_OF_SITE = """
SELECT * FROM calendar_link
WHERE site = $1 AND revoked_at IS NULL AND ($2::text IS NULL OR practitioner = $2) ORDER BY made_at, id
"""
_REVOKE = """
UPDATE calendar_link SET revoked_at = $4
WHERE id = $1 AND site = $2 AND revoked_at IS NULL AND ($3::text IS NULL OR practitioner = $3)
"""
_VISITS = """
SELECT * FROM appointment
WHERE site = $1 AND starts_at >= $2 AND starts_at < $3 AND status = ANY($4::text[])
  AND (practitioner = $5 OR colleagues @> ARRAY[$5::text] OR room = $6)
ORDER BY starts_at, id
"""


async def by_mark(tx: Transaction, mark: bytes) -> CalendarLink | None:
    """Read the link of this mark, one that was revoked too."""
    return await tx.row(CalendarLink, _BY_MARK, mark)


async def of_site(tx: Transaction, site: str, *, practitioner: str | None) -> Sequence[CalendarLink]:
    """Read the links of a site that stand, or of those one clinician's own, the oldest first."""
    return await tx.rows(CalendarLink, _OF_SITE, site, practitioner)


async def revoke(tx: Transaction, id: UUID, *, site: str, practitioner: str | None, at: datetime) -> bool:
    """End a link of a site, or of one clinician there; return whether there was one."""
    return await tx.run(_REVOKE, id, site, practitioner, at) == 1


async def visits(tx: Transaction, link: CalendarLink, *, window: Span) -> Sequence[Appointment]:
    """Read the visits that a link shows and that begin inside a window, the earliest first."""
    shown = [str(status) for status in SHOWN]
    return await tx.rows(
        Appointment, _VISITS, link.site, window.start, window.end, shown, link.practitioner, link.room
    )
