"""When people are away and sites are closed, as it was said."""

from uuid import UUID

from sqlalchemy import ColumnElement, false
from sqlmodel import col

from services.scheduling.models.rows import UnavailableTime
from services.scheduling.models.spans import Span
from services.scheduling.models.tables import UnavailableTimeTable
from shared.auth.principal import Principal
from shared.db import Transaction

ROWS = "a coordinator's or clinician's site, where coordinators alone see why; nobody else any"

_OF_SITE = """
SELECT * FROM unavailable_time WHERE site = $1 AND status = 'busy-unavailable' ORDER BY starts_at, id
"""
_MEETING = """
SELECT * FROM unavailable_time WHERE site = $1 AND status = 'busy-unavailable'
  AND starts_at < $3 AND ends_at > $2 ORDER BY starts_at, id
"""
_BY_ID = "SELECT * FROM unavailable_time WHERE id = $1 AND site = $2"


def visible(principal: Principal) -> ColumnElement[bool]:
    """What a caller may see: coordinators and clinicians that of their site."""
    if principal.party not in ("coordinator", "clinician") or principal.site is None:
        return false()
    return col(UnavailableTimeTable.site) == principal.site


async def of_site(tx: Transaction, site: str) -> list[UnavailableTime]:
    """Read what counts of a site and its people, the earliest first."""
    return await tx.rows(UnavailableTime, _OF_SITE, site)


async def meeting(tx: Transaction, site: str, *, window: Span) -> list[UnavailableTime]:
    """Read what counts of a site and its people inside a window, the earliest first."""
    return await tx.rows(UnavailableTime, _MEETING, site, window.start, window.end)


def is_seen_why(principal: Principal) -> bool:
    """Tell whether a caller sees why somebody is away."""
    return principal.party == "coordinator"


async def seen(tx: Transaction, wanted: UUID, *, site: str) -> UnavailableTime | None:
    """Read one of a site, without a lock."""
    return await tx.row(UnavailableTime, _BY_ID, wanted, site)


async def locked(tx: Transaction, wanted: UUID, *, site: str) -> UnavailableTime | None:
    """Lock one of a site."""
    return await tx.row(UnavailableTime, f"{_BY_ID} FOR UPDATE", wanted, site)
