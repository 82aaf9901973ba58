"""The forecast of a simulated clinic: what it knows on a day of its run, and what came true afterwards."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from deploy.simulate.instance import Hidden, Instance
from deploy.simulate.policies import Policy
from deploy.simulate.run import Course, SimulatedRun, TraceLine
from services.scheduling.fhir import forecasts
from services.scheduling.models.forecasts import Arrived, ClinicState, Extra, Rates, Shift
from services.scheduling.rules import arrival_rates, conformal, forecast, forecast_summary

_DAY = timedelta(days=1)
_WEEK = 7


@dataclass(frozen=True, kw_only=True)
class Past:
    """A run up to the morning of a day; what the trace says of later days is not looked at."""

    run: SimulatedRun
    day: date

    def state(self, *, weeks: int) -> ClinicState:
        """Say who waits, who has a visit, and which visits of the weeks to come nobody has."""
        newest = {line.referral: line for line in self._lines()}
        needs = tuple(sorted({need for one in self._instance.clinicians for need in one.takes}))
        waiting: Counter[tuple[str, date]] = Counter()
        booked: Counter[tuple[str, date, date]] = Counter()
        taken: Counter[tuple[str, date]] = Counter()
        for referral in self._instance.referrals:
            line = newest.get(referral.id)
            if referral.sent_on >= self.day or (line is not None and line.what == "seen"):
                continue
            if line is not None and line.what == "told":
                booked[referral.need, referral.due_on, line.visit_on] += 1
                taken[line.clinician, line.visit_on] += 1
            else:
                waiting[referral.need, referral.due_on] += 1
        days = [self.day + _DAY * number for number in range(weeks * _WEEK)]
        return ClinicState(
            first_day=self.day,
            needs=needs,
            waiting=waiting,
            booked=booked,
            shifts=[
                Shift(takes=one.takes, visits=tuple(self._free(one.id, day, taken) for day in days))
                for one in self._instance.clinicians
            ],
            working=tuple(self._instance.is_working(day) for day in days),
        )

    def rates(self) -> Rates:
        """Learn from the last 12 weeks, as a clinic does."""
        begins = self.day - _DAY * _WEEK * arrival_rates.LEARNED_WEEKS
        arrived = Counter(
            (referral.need, referral.sent_on, (referral.due_on - referral.sent_on).days)
            for referral in self._instance.referrals
            if begins <= referral.sent_on < self.day
        )
        ends = Counter(line.what for line in self._lines() if line.on >= begins)
        needs = sorted({need for one in self._instance.clinicians for need in one.takes})
        return arrival_rates.learn(
            [Arrived(need=need, on=on, days_left=left, number=n) for (need, on, left), n in arrived.items()],
            first_day=self.day,
            weeks=min(arrival_rates.LEARNED_WEEKS, (self.day - self._instance.first_day).days / _WEEK),
            usual_capacity={need: self._usual(need) for need in needs},
            promised_days={key: {28: 1.0} for key in needs},
            failed=ends["missed"],
            took_place=ends["seen"],
        )

    @property
    def _instance(self) -> Instance:
        return self.run.instance

    def _lines(self) -> Iterator[TraceLine]:
        return (line for line in self.run.trace if line.on < self.day)

    def _free(self, clinician: str, day: date, taken: Counter[tuple[str, date]]) -> int:
        """Count the visits of a day that nobody has; on the day itself nobody can be told one any more."""
        if day == self.day or day in self._instance.closed:
            return 0
        [works] = [one for one in self._instance.clinicians if one.id == clinician]
        return works.visits_on(day) - taken[clinician, day]

    def _usual(self, need: str) -> float:
        """Count the visits of a usual week; who takes several needs counts for each by its part."""
        return sum(sum(one.slots) / len(one.takes) for one in self._instance.clinicians if need in one.takes)


def at_the_middle(
    instance: Instance, hidden: Hidden, *, policy: Policy, weeks: int, extra: Sequence[Extra]
) -> dict[str, Any]:
    """Play a clinic up to its middle day and forecast from there, written as the product writes it."""
    number = instance.days // 2
    run = SimulatedRun(instance, hidden, policy).play(days=number)
    past = Past(run=run, day=instance.first_day + _DAY * number)
    state, rates = past.state(weeks=weeks), past.rates()
    expected = forecast.futures(state, rates, weeks=weeks)
    with_extra = forecast.futures(state, rates, weeks=weeks, extra=extra) if extra else None
    correction = conformal.SHIPPED
    summed = forecast_summary.summarise(
        state, rates, expected, correction=correction, with_extra=with_extra, extra=extra
    )
    return forecasts.describe(summed, correction, zone="local")


def told(name: str, body: Mapping[str, Any]) -> str:
    """Say a forecast in lines: all needs together by week, each in all, and what extra visits prevent."""
    lines = [f"{name}, {body['weeks']} weeks from {body['from']}: breaches, and the 80% interval"]
    for row in body["rows"]:
        if row["discipline"] is None:
            lines.append(
                f"  week {row['week']:2} from {row['from']}  {_shown(row['breaches'])}"
                f"   of {row['demand']['q50']} new referrals, {row['capacity']['q50']} free visits"
            )
    for total in body["totals"]:
        lines.append(f"  {total['discipline'] or 'in all':>23}  {_shown(total['breaches'])}")
    if body["prevented"] is not None:
        added = ", ".join(
            f"+{one['visits']} {one['discipline']} a week from week {one['from_week']}"
            for one in body["extra"]
        )
        lines.append(f"  {added}: prevents{_shown(body['prevented']['breaches'])}")
    return "\n".join([*lines, body["certainty"]["text"], body["assumed"]["text"]])


def _shown(given: Mapping[str, int]) -> str:
    return f"{given['q50']:4} ({given['q10']} to {given['q90']})"


def breaches(run: SimulatedRun, *, day: date, weeks: int) -> Counter[tuple[str, int]]:
    """Count who was not seen by the due day, by need and by the week of that day, from 1 on."""
    found: Counter[tuple[str, int]] = Counter()
    for course in run.courses.values():
        week = (course.referral.due_on - day).days // _WEEK + 1
        if 1 <= week <= weeks and _is_breach(course):
            found[course.referral.need, week] += 1
    return found


def _is_breach(course: Course) -> bool:
    return course.seen_on is None or course.seen_on > course.referral.due_on
