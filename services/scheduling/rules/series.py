"""A whole series of sessions, or none: every occurrence is evaluated before anything is booked.

Invariants:
- As many sessions as asked for, each at a free time inside the window, at most `per_week` in a local week
  (Monday to Sunday) and one a day.
- One clinician at the same weekdays and the same wall-clock time where the calendar has that, over daylight
  saving too; else the same clinician near it; else whoever is free. The same input gives the same plan.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import combinations
from zoneinfo import ZoneInfo

from services.scheduling.models.spans import NOTHING_TAKEN, Span, Taken
from services.scheduling.rules import candidates
from services.scheduling.rules.calendar import local_day_end, local_day_start
from services.scheduling.rules.candidates import Candidate, load_of
from services.scheduling.rules.entitlement import SessionBounds
from services.scheduling.rules.needs import Need
from services.scheduling.rules.notice import earliest_start
from shared.reasons import Reason, Reference

# Of what finds no time so many other days are named.
_ALTERNATIVES = 3
Week = tuple[int, int]
Day = Mapping[time, Candidate]
Calendar = Mapping[date, Day]


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How many sessions in all, and at most how many in a local week beside those that stand there."""

    count: int
    per_week: int
    already: Mapping[Week, int]


@dataclass(frozen=True, kw_only=True)
class NoSeries:
    """No whole series fits: which session failed first, how many were asked for, and free times instead."""

    failed: int
    count: int
    alternatives: tuple[Candidate, ...]


def windows(
    entitled: SessionBounds, *, per_week: int, after: datetime, now: datetime, zone: ZoneInfo
) -> tuple[Span, Span]:
    """Return where sessions may lie, and where to look for free times when they do not fit there.

    Without an end in the grant, a series takes at most twice as long as its pace asks for, and four weeks.
    """
    earliest = max(after, earliest_start(now=now, zone=zone))
    horizon = earliest + timedelta(weeks=2 * -(-entitled.count // per_week) + 4)
    start = max(earliest, local_day_start(entitled.starts_on, zone)) if entitled.starts_on else earliest
    end = min(horizon, local_day_end(entitled.ends_on, zone)) if entitled.ends_on else horizon
    return Span(start, max(start, end)), Span(earliest, max(horizon, start))


def week_of(day: date) -> Week:
    """Return the local week (ISO) of a day."""
    return day.isocalendar()[:2]


def plan(
    need: Need,
    *,
    pace: Pace,
    taken: Taken,
    patient: Sequence[Span],
    barred: Taken = NOTHING_TAKEN,
    window: Span,
    spare: Span,
) -> list[Candidate] | NoSeries:
    """Plan every session inside the window, or return which of them fails.

    `patient` is when the patient cannot come, `barred` when not with a clinician or in a room; `spare` is
    where alternatives to a failed session are looked for.
    """
    free = list(candidates.in_order(need, taken=taken, never=patient, barred=barred, window=window))
    zone = need.site.zone
    people = sorted(need.people, key=lambda person: (load_of(person, taken=taken), person.id))
    calendars = [calendar for person in people if (calendar := _calendar(free, zone=zone, person=person.id))]
    chosen = _same_time_each_week(calendars, pace) or _one_clinician(calendars, pace)
    if chosen is None:
        chosen = _fill(_calendar(free, zone=zone), pace=pace, near=None)
    if len(chosen) < pace.count:
        others = candidates.in_order(need, taken=taken, never=patient, barred=barred, window=spare)
        return _refusal(chosen, pace=pace, others=others, zone=zone)
    return chosen


def on_other_days(others: Iterable[Candidate], *, days: Collection[date], zone: ZoneInfo) -> list[Candidate]:
    """Take the first time of each of three local days, none of which is one of `days`."""
    found: dict[date, Candidate] = {}
    for candidate in others:
        day = candidate.span.start.astimezone(zone).date()
        if day not in days:
            found.setdefault(day, candidate)
        if len(found) == _ALTERNATIVES:
            break
    return list(found.values())


def free_instead(alternatives: Iterable[Candidate]) -> list[Reason]:
    """Say which times are free in the place of what finds none."""
    return [
        Reason.of("free-instead", start=one.span.start, practitioner=Reference(f"Practitioner/{one.person}"))
        for one in alternatives
    ]


def _calendar(free: Sequence[Candidate], *, zone: ZoneInfo, person: str | None = None) -> Calendar:
    """Sort candidates by local day and wall clock; of an hour that comes twice, the first one counts."""
    days: dict[date, dict[time, Candidate]] = defaultdict(dict)
    for candidate in free:
        if person is None or candidate.person == person:
            local = candidate.span.start.astimezone(zone)
            days[local.date()].setdefault(local.time(), candidate)
    return days


def _same_time_each_week(calendars: Sequence[Calendar], pace: Pace) -> list[Candidate] | None:
    """Take fixed weekdays and one wall-clock time for the whole series, where some clinician has them.

    Of those that end in the same week, the weekdays farthest apart are best.
    """
    best: tuple[tuple[Week, int, date, time, int], list[Candidate]] | None = None
    for place, calendar in enumerate(calendars):
        days = _every_day(calendar)
        weekdays = sorted({day.weekday() for day in calendar})
        times = sorted({wall for day in calendar.values() for wall in day})
        for pattern in combinations(weekdays, min(pace.per_week, len(weekdays))):
            mine = [entry for entry in days if entry[0].weekday() in pattern]
            for wall in times:
                run = _run(mine, wall=wall, pace=pace)
                if run is not None:
                    last = run[-1][0]
                    rank = (week_of(last), -_narrowest_gap(pattern), last, wall, place)
                    if best is None or rank < best[0]:
                        best = (rank, [candidate for _, candidate in run])
    return None if best is None else best[1]


def _every_day(calendar: Calendar) -> list[tuple[date, Week, Day]]:
    """Return every day from the first free one to the last, those without a free time too."""
    first, last = min(calendar), max(calendar)
    days = (first + timedelta(days=number) for number in range((last - first).days + 1))
    return [(day, week_of(day), calendar.get(day, {})) for day in days]


def _run(
    days: Sequence[tuple[date, Week, Day]], *, wall: time, pace: Pace
) -> list[tuple[date, Candidate]] | None:
    """Take one time on each of these days, from the first on which it is free, without a gap."""
    run: list[tuple[date, Candidate]] = []
    used: dict[Week, int] = dict(pace.already)
    for day, week, free in days:
        if used.get(week, 0) >= pace.per_week:
            continue
        candidate = free.get(wall)
        if candidate is not None:
            run.append((day, candidate))
            used[week] = used.get(week, 0) + 1
        elif run:
            return None
        if len(run) == pace.count:
            return run
    return None


def _one_clinician(calendars: Sequence[Calendar], pace: Pace) -> list[Candidate] | None:
    """Stay with one clinician and near one time, moving single sessions where the calendar asks for it."""
    plans = [_fill(calendar, pace=pace, near=_favourite(calendar)) for calendar in calendars]
    whole = [plan for plan in plans if len(plan) == pace.count]
    return min(whole, key=lambda plan: plan[-1].span.start) if whole else None


def _favourite(calendar: Calendar) -> time:
    """Return the wall-clock time that is free on most days, the earliest of equals."""
    counts: dict[time, int] = defaultdict(int)
    for day in calendar.values():
        for wall in day:
            counts[wall] += 1
    return min(counts, key=lambda wall: (-counts[wall], wall))


def _fill(calendar: Calendar, *, pace: Pace, near: time | None) -> list[Candidate]:
    """Go week by week and take its days far apart, each at the time nearest to `near` (None: earliest)."""
    weeks: dict[Week, list[date]] = defaultdict(list)
    for day in sorted(calendar):
        weeks[week_of(day)].append(day)
    chosen: list[Candidate] = []
    for week, days in sorted(weeks.items()):
        room = min(pace.per_week - pace.already.get(week, 0), pace.count - len(chosen))
        chosen += [_nearest(calendar[day], near) for day in _spread(days, room)]
    return chosen


def _spread(days: Sequence[date], wanted: int) -> Sequence[date]:
    if wanted >= len(days):
        return days
    if wanted <= 1:
        return days[: max(wanted, 0)]
    return [days[round(place * (len(days) - 1) / (wanted - 1))] for place in range(wanted)]


def _nearest(day: Day, near: time | None) -> Candidate:
    if near is None:
        return day[min(day)]
    return day[min(day, key=lambda wall: (abs(_minutes(wall) - _minutes(near)), wall))]


def _minutes(wall: time) -> int:
    return wall.hour * 60 + wall.minute


def _narrowest_gap(pattern: tuple[int, ...]) -> int:
    following = (*pattern[1:], pattern[0] + 7)
    return min(later - earlier for earlier, later in zip(pattern, following, strict=True))


def _refusal(
    chosen: Sequence[Candidate], *, pace: Pace, others: Iterable[Candidate], zone: ZoneInfo
) -> NoSeries:
    after: datetime | None = chosen[-1].span.start if chosen else None
    days = {candidate.span.start.astimezone(zone).date() for candidate in chosen}
    later = (one for one in others if after is None or one.span.start > after)
    offers = on_other_days(later, days=days, zone=zone)
    return NoSeries(failed=len(chosen) + 1, count=pace.count, alternatives=tuple(offers))
