"""Whether sessions may be booked now, and inside which bounds.

- A programme without sessions has no series.
- A payer that must authorize: its newest answer decides, and only a grant for the programme's discipline
  books; while it is asked or pends, nothing is held.
- Nobody to ask: sessions are booked when the first appointment took place.
"""

from dataclasses import dataclass
from datetime import date

from services.scheduling import texts
from services.scheduling.models import Funding
from shared.clinic import Programme

GRANTING = ("approved", "partially-approved", "modified", "not-required")


@dataclass(frozen=True, kw_only=True)
class Entitlement:
    """Sessions may be booked: so many, between these local dates (both included)."""

    count: int
    starts_on: date | None = None
    ends_on: date | None = None


@dataclass(frozen=True, kw_only=True)
class NoEntitlement:
    """No sessions may stand, and why."""

    why: str


def entitled_to(
    programme: Programme, *, authorization_required: bool, funding: Funding | None, first_held: bool
) -> Entitlement | NoEntitlement:
    """Return what a referral is entitled to now; `funding` is the payer's newest answer."""
    sessions = programme.sessions
    if sessions is None:
        return NoEntitlement(why=texts.NO_SESSIONS.format(programme=programme.id))
    if not authorization_required:
        return Entitlement(count=sessions.count) if first_held else NoEntitlement(why=texts.FIRST_NOT_HELD)
    if funding is None or funding.status in ("requested", "pended"):
        return NoEntitlement(why=texts.PAYER_UNDECIDED)
    if funding.status not in GRANTING:
        return NoEntitlement(why=texts.PAYER_DECIDED.format(status=funding.status))
    if funding.units == 0:
        return NoEntitlement(why=texts.NOTHING_GRANTED.format(discipline=sessions.discipline))
    count = sessions.count if funding.units is None else min(sessions.count, funding.units)
    return Entitlement(count=count, starts_on=funding.starts_on, ends_on=funding.ends_on)


def inside_dates(day: date, *, entitled: Entitlement) -> bool:
    """Tell whether a local day lies inside the dates of an entitlement, both included."""
    starts, ends = entitled.starts_on, entitled.ends_on
    return (starts is None or starts <= day) and (ends is None or day <= ends)
