"""How many referrals a simulated clinic expects: as it knows beforehand, or learns from those it had."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from deploy.simulate.instance import Instance, SimulatedReferral
from services.scheduling.models.demand import ArrivalCounts, ExpectedArrivals
from services.scheduling.rules import arrivals
from services.scheduling.rules.arrival_rates import LEARNED_WEEKS

_DAY, _WEEK = timedelta(days=1), timedelta(weeks=1)


@dataclass(frozen=True, kw_only=True)
class KnownRates:
    """What an instance's clinic expects, by what it knows."""

    instance: Instance

    def from_day(self, today: date, days: int) -> ExpectedArrivals:
        """Say how many are expected on each of the days after today."""
        known = self.instance.known
        by_day = {
            day: known.per_working_day * known.by_weekday[day.weekday()] for day in _days(today + _DAY, days)
        }
        return ExpectedArrivals(by_day=by_day, priorities=known.priorities, needs=known.needs)


@dataclass(frozen=True, kw_only=True)
class LearnedRates:
    """What a clinic expects that knows nothing but the referrals it had, learned as scheduling learns them.

    An evening is at `evening` of the zone's wall clock; `prior` is what clinic.yaml expects of a need a week.
    """

    instance: Instance
    evening: time = time(18)
    zone: tzinfo = UTC
    prior: Mapping[str, float] = field(default_factory=dict)

    def from_day(self, today: date, days: int) -> ExpectedArrivals:
        """Say how many are expected on each of the days after today, by those of the last twelve weeks."""
        now = datetime.combine(today, self.evening, tzinfo=self.zone).astimezone(UTC)
        since = now - _WEEK * LEARNED_WEEKS
        seen = [one for one in self.instance.referrals if since <= self._sent_at(one) <= now]
        first = min((self._sent_at(one) for one in seen), default=now)
        counts = Counter((one.need, one.priority) for one in seen)
        return arrivals.expected(
            ArrivalCounts(weeks=(now - first) / _WEEK, by_kind=counts),
            prior=self.prior,
            programmes=sorted(self.instance.known.needs),
            days=list(_days(today + _DAY, days)),
        )

    def _sent_at(self, referral: SimulatedReferral) -> datetime:
        wall = time(referral.minute // 60, referral.minute % 60)
        return datetime.combine(referral.sent_on, wall, tzinfo=self.zone).astimezone(UTC)


def _days(first: date, number: int) -> Iterator[date]:
    return (first + _DAY * one for one in range(number))
