"""From what stands at a site to what a forecast begins with: who waits, who is booked, what is free by day.

Time that is free is taken to stay free: sessions that nobody booked yet are not in it, nor are rooms.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from services.scheduling.models.forecasts import Arrived, ClinicState, Need, Rates, Shift
from services.scheduling.models.site_counts import SiteCounts
from services.scheduling.models.spans import NOTHING_TAKEN, Span, Taken
from services.scheduling.rules import arrival_rates
from services.scheduling.rules.arrivals import USUAL_MIX
from services.scheduling.rules.calendar import DAY, WEEKDAYS, local_day_start, offered_spans, working_spans
from services.scheduling.rules.forecast import LONGEST_LEFT
from services.scheduling.rules.free_time import left_of, visits_in
from services.scheduling.rules.needs import person_key
from shared.clinic import Clinic, Person, Site
from shared.clinic.guarantee import GuaranteeTerms

_WEEK = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastSite:
    """A site as a forecast looks at it: the disciplines of its first visits, how long those are, and who
    gives them. Of several lengths the longest counts, so that no visit is counted that would not fit.
    """

    site: Site
    programmes: Mapping[str, Need]
    lengths: Mapping[Need, timedelta]
    people: tuple[Person, ...]

    @classmethod
    def of(cls, clinic: Clinic, site: Site) -> "ForecastSite":
        """Gather what the clinic's description says of a site."""
        programmes = [one for one in clinic.programmes if one.site == site.id]
        lengths: dict[Need, timedelta] = {}
        for one in programmes:
            need = str(one.first.discipline)
            lengths[need] = max(lengths.get(need, timedelta()), timedelta(minutes=one.first.minutes))
        return cls(
            site=site,
            programmes={one.id: str(one.first.discipline) for one in programmes},
            lengths=dict(sorted(lengths.items())),
            people=tuple(
                one for one in clinic.people if one.site == site.id and str(one.discipline) in lengths
            ),
        )

    @property
    def keys(self) -> list[str]:
        """The names of the clinicians as resources."""
        return [person_key(person.id) for person in self.people]


def window(today: date, *, weeks: int, site: Site) -> Span:
    """Return the time that so many weeks from a local day on take."""
    return Span(local_day_start(today, site.zone), local_day_start(today + DAY * _WEEK * weeks, site.zone))


def state(at: ForecastSite, counts: SiteCounts, *, today: date, weeks: int, taken: Taken) -> ClinicState:
    """Say what a forecast of so many weeks begins with on a local day."""
    waiting: Counter[tuple[Need, date]] = Counter()
    booked: Counter[tuple[Need, date, date]] = Counter()
    for one in counts.first_visits:
        need = at.programmes.get(one.programme)
        if need is None:
            continue
        if one.visit_on is None:
            waiting[need, one.due_on] += one.number
        else:
            booked[need, one.due_on, max(one.visit_on, today)] += one.number
    days = [today + DAY * number for number in range(weeks * _WEEK)]
    return ClinicState(
        first_day=today,
        needs=tuple(at.lengths),
        waiting=waiting,
        booked=booked,
        shifts=[
            Shift(
                takes=(str(person.discipline),),
                visits=_by_day(at, person, days=days, taken=taken, from_day=today + DAY),
            )
            for person in at.people
        ],
        working=tuple(day not in at.site.closed and _is_worked(at, day) for day in days),
    )


def rates(at: ForecastSite, counts: SiteCounts, *, today: date, promised_days: Mapping[int, float]) -> Rates:
    """Learn what to assume of the last weeks; `promised_days` is the promise before any referral."""
    arrived = [
        Arrived(
            need=need,
            on=one.accepted_on,
            days_left=max(1, min((one.due_on - one.accepted_on).days, LONGEST_LEFT)),
            number=one.number,
        )
        for one in counts.accepted
        if (need := at.programmes.get(one.programme)) is not None
    ]
    return arrival_rates.learn(
        arrived,
        first_day=today,
        weeks=learned_weeks(counts.accepts_since, today=today, site=at.site),
        usual_capacity=_usual_capacity(at, today=today),
        promised_days=dict.fromkeys(at.lengths, promised_days),
        failed=counts.outcomes.failed,
        took_place=counts.outcomes.took_place,
    )


def promised_days(terms: GuaranteeTerms) -> dict[int, float]:
    """Say how long referrals have before any was seen: shares by the days of the priorities."""
    shares: dict[int, float] = {}
    for priority, share in USUAL_MIX.items():
        days = min(terms.of(priority).length, LONGEST_LEFT)
        shares[days] = shares.get(days, 0.0) + share
    return shares


def learned_weeks(accepts_since: datetime | None, *, today: date, site: Site) -> float:
    """Say of how many weeks up to a day there are referrals to learn from, as far as they count."""
    if accepts_since is None:
        return 0.0
    passed = (local_day_start(today, site.zone) - accepts_since) / timedelta(weeks=1)
    return min(max(passed, 0.0), float(arrival_rates.LEARNED_WEEKS))


def _usual_capacity(at: ForecastSite, *, today: date) -> dict[Need, float]:
    """Count the first visits of a usual week by need: hours of the next weeks, whoever has taken them."""
    weeks = 4
    days = [today + DAY * number for number in range(weeks * _WEEK)]
    found = dict.fromkeys(at.lengths, 0.0)
    for person in at.people:
        visits = _by_day(at, person, days=days, taken=NOTHING_TAKEN, from_day=today)
        found[str(person.discipline)] += sum(visits) / weeks
    return found


def _by_day(
    at: ForecastSite, person: Person, *, days: list[date], taken: Taken, from_day: date
) -> tuple[int, ...]:
    """Count the visits that still fit into each day of a clinician; none before `from_day`."""
    span = Span(
        local_day_start(max(days[0], from_day), at.site.zone), local_day_start(days[-1] + DAY, at.site.zone)
    )
    works = working_spans(person, site=at.site, purpose="first", window=span)
    works = offered_spans(person, works, zone=at.site.zone)
    length = at.lengths[str(person.discipline)]
    found: Counter[date] = Counter()
    for free in left_of(works, person, taken=taken):
        found[free.start.astimezone(at.site.zone).date()] += visits_in(free, length=length)
    return tuple(found[day] for day in days)


def _is_worked(at: ForecastSite, day: date) -> bool:
    """Tell whether anybody has hours on the weekday of a day."""
    weekday = WEEKDAYS[day.weekday()]
    return any(weekday in hours.days for person in at.people for hours in person.hours)
