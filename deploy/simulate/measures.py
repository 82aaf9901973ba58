"""What a run is measured by: who was seen in time, who waited long, who was told when."""

from collections.abc import Iterable, Mapping
from datetime import timedelta

from deploy.simulate.run import Course, SimulatedRun

_WEIGHTS = {"asap": 20, "urgent": 5, "routine": 1}
_DAY = timedelta(days=1)


def measure(run: SimulatedRun) -> Mapping[str, float]:
    """Measure the referrals that were sent on the scored days; shares are of 1."""
    first, last = run.instance.scored
    scored = [course for course in run.courses.values() if first <= course.referral.sent_on < last]
    weights = [(_WEIGHTS[course.referral.priority], _in_time(course)) for course in scored]
    return {
        "n": len(scored),
        **{f"{code}_in_time": _share(map(_in_time, _of(scored, code))) for code in _WEIGHTS},
        "all_in_time": _share(map(_in_time, scored)),
        "score": sum(w for w, good in weights if good) / max(1, sum(w for w, _ in weights)),
        "over_56": _share(map(_is_late, scored)),
        "told_in_2": _share(_told_in_two(run, course) for course in scored),
        "mean_wait": sum(_waited(course) for course in scored) / max(1, len(scored)),
        "wait_max": max((_waited(course) for course in scored), default=0),
        "moved": 0.0,
        "forced": _share(course.forced > 0 for course in scored),
    }


def _of(courses: Iterable[Course], priority: str) -> list[Course]:
    return [course for course in courses if course.referral.priority == priority]


def _in_time(course: Course) -> bool:
    return course.seen_on is not None and course.seen_on <= course.referral.due_on


def _waited(course: Course) -> int:
    return 999 if course.seen_on is None else (course.seen_on - course.referral.sent_on).days


def _is_late(course: Course) -> bool:
    return _waited(course) > 56


def _told_in_two(run: SimulatedRun, course: Course) -> bool:
    if course.told_on is None:
        return False
    sent = course.referral.sent_on
    passed = range(1, (course.told_on - sent).days + 1)
    return sum(run.instance.is_working(sent + _DAY * day) for day in passed) <= 2


def _share(given: Iterable[bool]) -> float:
    marks = list(given)
    return sum(marks) / len(marks) if marks else 1.0
