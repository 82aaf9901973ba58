"""What is learned of a clinic's own past: how many referrals arrive, with how many days left, and what fails.

Whatever is learned begins with a prior, so that a new clinic has a forecast too: a wide one.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date

from services.scheduling.models.forecasts import Arrived, Need, NeedRate, Rates

LEARNED_WEEKS = 12
# What is assumed before anything is known: four fifths of the visits of a week are asked for, and that counts
# as much as half a week that was seen.
_PRIOR_FILL, _PRIOR_WEEKS = 0.8, 0.5
# Weeks differ by a fifth of their mean until a clinic's own are known; that counts as much as so many weeks.
_PRIOR_UNEVEN, _UNEVEN_WEEKS = 0.04, 12
_LEAST_UNEVEN = 0.002
# Of a hundred visits so many do not take place: missed, or called off too late for somebody else.
_PRIOR_FAILED, _PRIOR_VISITS = 0.11, 100
SICK = 0.012
SLIPPED = 0.03
_EVEN_WEEK = (0.2, 0.2, 0.2, 0.2, 0.2, 0.0, 0.0)
# Shares of weekdays count as many referrals as these before any were seen.
_PRIOR_REFERRALS = 40


def learn(
    arrived: Sequence[Arrived],
    *,
    first_day: date,
    weeks: float,
    usual_capacity: Mapping[Need, float],
    promised_days: Mapping[Need, Mapping[int, float]],
    failed: int = 0,
    took_place: int = 0,
) -> Rates:
    """Learn what to assume of the referrals that were accepted in the so many weeks before a day.

    `usual_capacity` are the visits of a usual week by need, `promised_days` how long referrals have before
    any was seen; `failed` and `took_place` count the visits of that time.
    """
    arrivals = {}
    for need, capacity in usual_capacity.items():
        of_need = [one for one in arrived if one.need == need]
        arrivals[need] = _rate(of_need, weeks=weeks, capacity=capacity, promised=promised_days[need])
    unevenness = _unevenness(arrived, first_day=first_day, weeks=weeks)
    # What is known of a rate is known of weeks that differ: each referral says less of it.
    for need, rate in arrivals.items():
        shape = rate.shape / (1 + rate.weekly * unevenness)
        arrivals[need] = NeedRate(weekly=rate.weekly, shape=shape, days_left=rate.days_left)
    visits = _PRIOR_VISITS + failed + took_place
    return Rates(
        arrivals=arrivals,
        weekdays=_weekdays(arrived),
        evenness=1 / unevenness,
        failed=(_PRIOR_FAILED * _PRIOR_VISITS + failed) / visits,
        slipped=SLIPPED,
        sick=SICK,
        learned_weeks=weeks,
        referrals=sum(one.number for one in arrived),
    )


def _rate(
    arrived: Sequence[Arrived], *, weeks: float, capacity: float, promised: Mapping[int, float]
) -> NeedRate:
    seen = sum(one.number for one in arrived)
    # A discipline without visits is asked for nothing, unless it was; a Gamma needs some shape.
    shape = seen + max(_PRIOR_FILL * capacity * _PRIOR_WEEKS, 0.1)
    days_left: Counter[int] = Counter()
    for one in arrived:
        days_left[one.days_left] += one.number
    shares = {days: share for days, share in promised.items()} if not days_left else dict(days_left)
    total = sum(shares.values())
    return NeedRate(
        weekly=shape / (weeks + _PRIOR_WEEKS),
        shape=shape,
        days_left={days: share / total for days, share in sorted(shares.items())},
    )


def _unevenness(arrived: Sequence[Arrived], *, first_day: date, weeks: float) -> float:
    """Estimate the square of how much weeks differ beyond chance, as a share of their mean."""
    whole = int(weeks)
    counts = [0] * whole
    for one in arrived:
        week = ((first_day - one.on).days - 1) // 7
        if 0 <= week < whole:
            counts[week] += one.number
    own = 0.0
    if whole > 1 and (mean := sum(counts) / whole) > 0:
        variance = sum((count - mean) ** 2 for count in counts) / (whole - 1)
        own = max(0.0, variance - mean) / mean**2
    blended = (own * whole + _PRIOR_UNEVEN * _UNEVEN_WEEKS) / (whole + _UNEVEN_WEEKS)
    return max(blended, _LEAST_UNEVEN)


def _weekdays(arrived: Sequence[Arrived]) -> tuple[float, ...]:
    seen = [_PRIOR_REFERRALS * share for share in _EVEN_WEEK]
    for one in arrived:
        seen[one.on.weekday()] += one.number
    return tuple(count / sum(seen) for count in seen)
