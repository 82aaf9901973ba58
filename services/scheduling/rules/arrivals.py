"""How many referrals are expected: by the clinic's own weeks, and at first by what clinic.yaml says."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date

from services.scheduling.models.demand import ArrivalCounts, ExpectedArrivals
from shared.fhir.codes import RequestPriority

# What clinic.yaml expects counts as much as so many weeks that were seen. Where it says nothing, the
# referrals of fewer weeks are taken as those of so many: the first one that comes is no rate.
_PRIOR_WEEKS = 4
# How many referrals have which priority before any was seen, and as how many referrals that counts.
USUAL_MIX = {RequestPriority.ASAP: 0.1, RequestPriority.URGENT: 0.2, RequestPriority.ROUTINE: 0.7}
_PRIOR_REFERRALS = 10
_WORKING_DAYS = 5


def expected(
    counts: ArrivalCounts, *, prior: Mapping[str, float], programmes: Sequence[str], days: Sequence[date]
) -> ExpectedArrivals:
    """Say how many are expected on each day, of which priorities and programmes; none at the weekend."""
    weekly = {name: _per_week(counts, name, prior.get(name)) for name in programmes}
    whole = sum(weekly.values())
    seen: Counter[str] = Counter()
    for (_, priority), number in counts.by_kind.items():
        seen[priority] += number
    mix = {code.value: seen[code] + _PRIOR_REFERRALS * USUAL_MIX.get(code, 0.0) for code in RequestPriority}
    return ExpectedArrivals(
        by_day={day: whole / _WORKING_DAYS for day in days if day.weekday() < _WORKING_DAYS},
        priorities={code: number / sum(mix.values()) for code, number in mix.items()},
        needs={name: rate / whole for name, rate in weekly.items()} if whole else {},
    )


def _per_week(counts: ArrivalCounts, programme: str, prior: float | None) -> float:
    seen = sum(number for (name, _), number in counts.by_kind.items() if name == programme)
    if prior is None:
        return seen / max(_PRIOR_WEEKS, counts.weeks)
    return (seen + prior * _PRIOR_WEEKS) / (counts.weeks + _PRIOR_WEEKS)
