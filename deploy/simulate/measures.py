"""What a run is measured by: who was seen in time, who waited long, who was told when.

The names are those of the study: urgent, semi and routine are FHIR's asap, urgent and routine.
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta

from deploy.simulate.run import Course, SimulatedRun

_SHARES = {"asap": "urgent5", "urgent": "semi10", "routine": "routine28"}
_WEIGHTS = {"asap": 20, "urgent": 5, "routine": 1}
_DAY = timedelta(days=1)
_SECOND_PROMISE = 56


def measure(run: SimulatedRun) -> Mapping[str, float]:
    """Measure the referrals that were sent on the scored days; shares are of 1, times in days."""
    first, last = run.instance.scored
    scored = [course for course in run.courses.values() if first <= course.referral.sent_on < last]
    told = sum(line.what == "told" for line in run.trace)
    return {
        "n": len(scored),
        **{name: _share(map(_in_time, _of(scored, code))) for code, name in _SHARES.items()},
        "all_in_time": _share(map(_in_time, scored)),
        "score": _score(scored),
        "mean_wait": sum(map(_waited, scored)) / max(1, len(scored)),
        "wait_max": max(map(_waited, scored), default=0),
        "over56": _share(_waited(course) > _SECOND_PROMISE for course in scored),
        "told2": _share(_told_in_two(run, course) for course in scored),
        "moved": 0,
        "forced": _share(course.forced > 0 for course in scored),
        **_use_of(run),
        "ms_per_decision": 1000 * run.seconds / max(1, told),
    }


def _of(courses: Iterable[Course], priority: str) -> list[Course]:
    return [course for course in courses if course.referral.priority == priority]


def _in_time(course: Course) -> bool:
    return course.seen_on is not None and course.seen_on <= course.referral.due_on


def _score(courses: Iterable[Course]) -> float:
    weighed = [(_WEIGHTS[course.referral.priority], _in_time(course)) for course in courses]
    return sum(weight for weight, good in weighed if good) / max(1, sum(weight for weight, _ in weighed))


def _waited(course: Course) -> int:
    """Count the days to the visit that took place; who was not seen waited longer than any run."""
    return 999 if course.seen_on is None else (course.seen_on - course.referral.sent_on).days


def _told_in_two(run: SimulatedRun, course: Course) -> bool:
    if course.told_on is None:
        return False
    sent = course.referral.sent_on
    passed = range(1, (course.told_on - sent).days + 1)
    return sum(run.instance.is_working(sent + _DAY * day) for day in passed) <= 2


def _use_of(run: SimulatedRun) -> dict[str, float]:
    """Say which share of the visits of the scored days nobody had, and to which nobody came."""
    first, last = run.instance.scored
    whole = sum(
        clinician.visits_on(first + _DAY * day)
        for clinician in run.instance.clinicians
        for day in range((last - first).days)
        if first + _DAY * day not in run.instance.closed
    )
    held = [line.what for line in run.trace if line.what in ("seen", "missed") and first <= line.on < last]
    return {"idle": 1 - len(held) / max(1, whole), "wasted": held.count("missed") / max(1, whole)}


def _share(given: Iterable[bool]) -> float:
    marks = list(given)
    return sum(marks) / len(marks) if marks else 1.0
