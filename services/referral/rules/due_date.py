"""By which local day a patient of a priority must be seen.

- It counts from the local day of sending. Where working days are counted, that day is the first of them if it
  is one and a visit could still begin on it; working days are Monday to Friday less the site's closed days.
- Who gets a higher priority later is seen within its days from then on, and never later than was promised: a
  day that is past already could not be kept by anybody. A lower priority has its own days from the sending.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from services.referral.models.rows import Referral
from services.referral.rules.priority import higher
from shared.clinic import Clinic, Site
from shared.clinic.guarantee import STAT_NOTICE

_SATURDAY = 5
_DAY = timedelta(days=1)


def counted(priority: str, *, since: datetime, site: Site, clinic: Clinic) -> date:
    """Return the last local day of the guarantee of a priority that runs from a moment on."""
    guarantee = clinic.guarantee.of(priority)
    today = since.astimezone(site.zone).date()
    if guarantee.working_days is None:
        return today + timedelta(days=guarantee.length)
    first = today if _has_time_left(since, site=site, clinic=clinic) else today + _DAY
    working = _working_days(first, site=site)
    return [next(working) for _ in range(guarantee.working_days)][-1]


def of_new(referral: Referral, *, clinic: Clinic) -> date:
    """Return by when a referral must be seen whose priority nobody has changed since it was sent."""
    site = clinic.site(referral.site)
    return counted(referral.priority, since=referral.sent_at, site=site, clinic=clinic)


def after_change(referral: Referral, *, before: str, at: datetime, clinic: Clinic) -> date:
    """Return by when a referral must be seen whose priority was another one before."""
    if higher(before, referral.priority) == before:
        return of_new(referral, clinic=clinic)
    soon = counted(referral.priority, since=at, site=clinic.site(referral.site), clinic=clinic)
    return min(referral.due_on, soon)


def _working_days(first: date, *, site: Site) -> Iterator[date]:
    day = first
    while True:
        if day.weekday() < _SATURDAY and day not in site.closed:
            yield day
        day += _DAY


def _has_time_left(moment: datetime, *, site: Site, clinic: Clinic) -> bool:
    """Tell whether a first visit could begin at the site on this local day, told now."""
    today, soonest = moment.astimezone(site.zone).date(), (moment + STAT_NOTICE).astimezone(site.zone)
    there = [
        person
        for person in clinic.people
        if person.site == site.id and not any(away.covers(today) for away in person.absences)
    ]
    ends = [
        hours.end
        for person in there
        for hours in person.hours
        if "first" in hours.purpose and today.weekday() in [day.number for day in hours.days]
    ]
    return soonest.date() == today and any(soonest.time() < end for end in ends)
