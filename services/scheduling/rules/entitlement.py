"""Whether sessions may be booked now, and inside which bounds.

- A programme without sessions has no series.
- A payer that must authorize: its newest answer decides, and only a grant for the programme's discipline
  books; while it is asked or pends, nothing is held.
- Nobody to ask: sessions are booked when the first appointment took place.
"""

from dataclasses import dataclass
from datetime import date

from services.scheduling.models.rows import Funding
from shared.clinic import Programme
from shared.reasons import Reason

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

    why: Reason


def entitled_to(
    programme: Programme, *, authorization_required: bool, funding: Funding | None, first_held: bool
) -> Entitlement | NoEntitlement:
    """Return what a referral is entitled to now; `funding` is the payer's newest answer."""
    sessions = programme.sessions
    if sessions is None:
        return NoEntitlement(why=Reason.of("no-sessions", programme=programme.id))
    if not authorization_required:
        if first_held:
            return Entitlement(count=sessions.count)
        return NoEntitlement(why=Reason.of("first-not-held"))
    if funding is None or funding.status in ("requested", "pended"):
        return NoEntitlement(why=Reason.of("payer-undecided"))
    if funding.status not in GRANTING:
        return NoEntitlement(why=Reason.of("payer-decided", status=funding.status))
    if funding.units == 0:
        return NoEntitlement(why=Reason.of("nothing-granted", discipline=sessions.discipline))
    count = sessions.count if funding.units is None else min(sessions.count, funding.units)
    return Entitlement(count=count, starts_on=funding.starts_on, ends_on=funding.ends_on)


def outside_dates(day: date, *, entitled: Entitlement) -> Reason | None:
    """Say how a local day lies outside the dates of an entitlement, both of which belong to it."""
    if entitled.starts_on is not None and day < entitled.starts_on:
        return Reason.of("before-the-grant", starts_on=entitled.starts_on)
    if entitled.ends_on is not None and day > entitled.ends_on:
        return Reason.of("after-the-grant", ends_on=entitled.ends_on)
    return None
