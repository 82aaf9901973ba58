"""What visits need, worked out once in a process, with what is known of how full the calendar is."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from services.scheduling import rules
from services.scheduling.models.demand import Group, Outlook, Unscheduled
from shared.clinic import Clinic, Visit, VisitType
from shared.context import Context

Key = tuple[Hashable, ...]
# So long an outlook is kept: it says where to look first, and what of it is taken the constraint decides.
_KEPT = timedelta(minutes=1)


@dataclass(slots=True)
class KeptNeed:
    """What a visit needs, and from when until when all of it is taken.

    That is known as of so many times that time was given back (`freed`). What is full stays full until
    somebody gives time back, so whoever looks for the earliest time in it may begin at its end; the
    constraint decides, and this is only where to look first.
    """

    need: rules.needs.Need
    clinic: Clinic
    full_from: datetime | None = None
    full_until: datetime | None = None
    freed: int = 0

    def is_of(self, moment: datetime) -> bool:
        """Tell whether the need is as of the local day of a moment: another day may release other hours."""
        return self.need.today == moment.astimezone(self.need.site.zone).date()

    def is_full_at(self, moment: datetime, *, freed: int) -> bool:
        """Tell whether a moment lies in what is known to be full."""
        if self.full_from is None or self.full_until is None or self.freed != freed:
            return False
        return self.full_from <= moment < self.full_until


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptOutlook:
    """What a site had free a moment ago, up to a day; what this process gives of it is counted as taken.

    What others took or gave back since is not in it.
    """

    clinic: Clinic
    outlook: Outlook
    free: dict[tuple[Group, date], int]
    waiting: list[Unscheduled]
    read_at: datetime
    last_day: date

    def is_good(self, ctx: Context, *, today: date, until: date) -> bool:
        """Tell whether it can still be used today, for days up to this one: no roster has changed since."""
        is_new = self.read_at <= ctx.at < self.read_at + _KEPT and self.clinic is ctx.clinic
        return is_new and self.outlook.today == today and until <= self.last_day

    def take(self, need: str, *, from_day: date | None) -> None:
        """Count a first visit of a need on the first day from this one on (None: any) that has one free."""
        day = from_day or self.outlook.today
        while day <= self.last_day:
            for group in self.outlook.book.groups[need]:
                if self.free.get((group, day), 0) > 0:
                    self.free[group, day] -= 1
                    return
            day += timedelta(days=1)


@dataclass(frozen=True, slots=True)
class AvailabilityCache:
    """What a process need not work out again: the needs of visits, the outlooks of sites, and the resources
    that have a number.
    """

    needs: dict[Key, KeptNeed] = field(default_factory=dict)
    outlooks: dict[str, KeptOutlook] = field(default_factory=dict)
    resources: set[str] = field(default_factory=set)


def kept_need(
    ctx: Context,
    visit: Visit,
    *,
    site_id: str,
    purpose: str,
    cache: AvailabilityCache,
    programme: str | None = None,
) -> KeptNeed:
    """Return what a visit at a site needs; the same object for the same visit, until a roster changes.

    With a programme the hours that are kept for it are among those that it may have.
    """
    key = (site_id, purpose, visit.discipline, visit.room, visit.minutes, programme)
    return _kept(
        key,
        lambda: rules.needs.need_of(
            ctx.clinic, site_id=site_id, visit=visit, purpose=purpose, programme=programme
        ),
        ctx=ctx,
        cache=cache,
    )


def kept_need_of_type(
    ctx: Context, visit: VisitType, *, site_id: str, cache: AvailabilityCache, programme: str | None = None
) -> KeptNeed:
    """Return what a visit that a programme names needs at a site; the same object for the same visit."""
    return _kept(
        (site_id, visit, programme),
        lambda: rules.needs.need_of_type(ctx.clinic, site_id=site_id, visit=visit, programme=programme),
        ctx=ctx,
        cache=cache,
    )


def _kept(
    key: Key, make: Callable[[], rules.needs.Need], *, ctx: Context, cache: AvailabilityCache
) -> KeptNeed:
    found = cache.needs.get(key)
    if found is None or found.clinic is not ctx.clinic or not found.is_of(ctx.at):
        found = cache.needs[key] = KeptNeed(make().as_of(ctx.at), ctx.clinic)
    return found
