"""Whether sessions may be booked now, of which disciplines, and inside which bounds.

- A programme without sessions has no series.
- A payer that must authorize: its newest answer decides, for each discipline by itself, and only a grant for
  one of the programme's disciplines books; while it is asked or pends, nothing is held. A grant that names no
  discipline is one for all: the course uses it up from its beginning.
- Nobody to ask: sessions are booked when the first appointment took place.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from services.scheduling.models.grants import GrantedSessions
from services.scheduling.models.rows import Funding
from shared.clinic import Course, Programme
from shared.reasons import Reason

GRANTING = ("approved", "partially-approved", "modified", "not-required")


@dataclass(frozen=True, kw_only=True)
class SessionBounds:
    """So many sessions of a discipline, between these local dates (both included)."""

    count: int
    starts_on: date | None = None
    ends_on: date | None = None


@dataclass(frozen=True, kw_only=True)
class Entitlement:
    """Sessions may be booked: of each discipline that is here, inside its bounds; of another none."""

    by_discipline: Mapping[str, SessionBounds]

    @property
    def count(self) -> int:
        """How many sessions that are in all."""
        return sum(bounds.count for bounds in self.by_discipline.values())

    def less(self, used: Mapping[str, int]) -> "Entitlement":
        """Return what is left when so many units of each discipline are used by nothing that took place."""
        left = {
            discipline: replace(bounds, count=max(bounds.count - used.get(discipline, 0), 0))
            for discipline, bounds in self.by_discipline.items()
        }
        return Entitlement(by_discipline=left)

    def of(self, discipline: str) -> SessionBounds:
        """Return the bounds of a discipline; nothing where it has none."""
        return self.by_discipline.get(discipline, SessionBounds(count=0))


@dataclass(frozen=True, kw_only=True)
class NoEntitlement:
    """No sessions may stand, and why."""

    why: Reason


def entitled_to(
    programme: Programme, *, authorization_required: bool, funding: Funding | None, first_held: bool
) -> Entitlement | NoEntitlement:
    """Return what a referral is entitled to now; `funding` is the payer's newest answer."""
    course = programme.course
    if course is None:
        return NoEntitlement(why=Reason.of("no-sessions", programme=programme.id))
    if not authorization_required:
        if first_held:
            bounds = {one.value: SessionBounds(count=count) for one, count in course.totals.items()}
            return Entitlement(by_discipline=bounds)
        return NoEntitlement(why=Reason.of("first-not-held"))
    if funding is None or funding.status in ("requested", "pended"):
        return NoEntitlement(why=Reason.of("payer-undecided"))
    if funding.status not in GRANTING:
        return NoEntitlement(why=Reason.of("payer-decided", status=funding.status))
    granted = _granted(course, funding.grants)
    if not granted:
        return NoEntitlement(why=Reason.of("nothing-granted", discipline=next(iter(course.treatments))))
    return Entitlement(by_discipline=granted)


def outside_dates(day: date, *, bounds: SessionBounds) -> Reason | None:
    """Say how a local day lies outside the dates of an entitlement, both of which belong to it."""
    if bounds.starts_on is not None and day < bounds.starts_on:
        return Reason.of("before-the-grant", starts_on=bounds.starts_on)
    if bounds.ends_on is not None and day > bounds.ends_on:
        return Reason.of("after-the-grant", ends_on=bounds.ends_on)
    return None


def _granted(course: Course, grants: Sequence[GrantedSessions]) -> dict[str, SessionBounds]:
    """Work out the bounds of each discipline of which something is granted."""
    found: dict[str, SessionBounds] = {}
    for_all = [grant for grant in grants if grant.discipline is None]
    shares = _shares(course, for_all)
    for discipline, total in course.totals.items():
        own = [grant for grant in grants if grant.discipline == discipline]
        fitting = own or for_all
        units = _units(own) if own else shares[discipline]
        count = total if units is None else min(total, units)
        if fitting and count > 0:
            starts = [grant.starts_on for grant in fitting if grant.starts_on is not None]
            ends = [grant.ends_on for grant in fitting if grant.ends_on is not None]
            found[discipline.value] = SessionBounds(
                count=count, starts_on=min(starts, default=None), ends_on=max(ends, default=None)
            )
    return found


def _units(grants: Sequence[GrantedSessions]) -> int | None:
    said = [grant.units for grant in grants if grant.units is not None]
    return sum(said) if said else None


def _shares(course: Course, for_all: Sequence[GrantedSessions]) -> Mapping[str, int | None]:
    """Share one grant for all out: the course uses it up week by week, from its beginning."""
    left = _units(for_all)
    if left is None:
        return {discipline.value: None for discipline in course.totals}
    shares = {discipline.value: 0 for discipline in course.totals}
    for week in course.weeks:
        for discipline, count in week.sessions.items():
            given = min(count, left)
            shares[discipline] += given
            left -= given
    return shares
