"""Whether sessions may be booked now, and inside which bounds.

- A programme without sessions has no series.
- A payer that must authorize: its newest answer decides, and only a grant for the programme's discipline
  books; while it is asked or pends, nothing is held.
- Nobody to ask: sessions are booked when the first appointment took place.
"""

from dataclasses import dataclass
from datetime import date

from shared.clinic import Programme

GRANTING = ("approved", "partially-approved", "modified", "not-required")


@dataclass(frozen=True, kw_only=True)
class Grant:
    """The payer's newest answer for one referral; no units or dates mean no such bound."""

    status: str
    units: int | None = None
    starts_on: date | None = None
    ends_on: date | None = None


@dataclass(frozen=True, kw_only=True)
class Entitlement:
    """Sessions may be booked: so many, between these local dates (both included)."""

    count: int
    starts_on: date | None = None
    ends_on: date | None = None


@dataclass(frozen=True, kw_only=True)
class NoEntitlement:
    """No sessions may stand, and why; `waiting` where that may still change by itself."""

    why: str
    waiting: bool


def entitlement(
    programme: Programme, *, authorization_required: bool, grant: Grant | None, first_held: bool
) -> Entitlement | NoEntitlement:
    """Tell what a referral is entitled to now."""
    if programme.sessions is None:
        return NoEntitlement(why=f"programme {programme.id} has no sessions", waiting=True)
    if not authorization_required:
        if first_held:
            return Entitlement(count=programme.sessions.count)
        return NoEntitlement(why="sessions are booked after the first appointment took place", waiting=True)
    if grant is None or grant.status in ("requested", "pended"):
        return NoEntitlement(why="the payer has not decided yet", waiting=True)
    if grant.status not in GRANTING:
        return NoEntitlement(why=f"the payer's decision is: {grant.status}", waiting=False)
    if grant.units == 0:
        return NoEntitlement(why=f"nothing is granted for {programme.sessions.discipline}", waiting=False)
    count = programme.sessions.count
    return Entitlement(
        count=count if grant.units is None else min(count, grant.units),
        starts_on=grant.starts_on,
        ends_on=grant.ends_on,
    )


def inside_dates(day: date, *, entitled: Entitlement) -> bool:
    """Tell whether a local day lies inside the dates of an entitlement, both included."""
    starts, ends = entitled.starts_on, entitled.ends_on
    return (starts is None or starts <= day) and (ends is None or day <= ends)
