"""What must hold of the course of a programme: who gives its sessions, where, and that a week has room."""

from collections import Counter
from collections.abc import Collection, Iterator

from shared.clinic.courses import SHORT_NAMES, Phase
from shared.clinic.flaws import Flaw, Place, known, twice
from shared.clinic.model import Clinic
from shared.clinic.programmes import Programme
from shared.clinic.visits import Discipline

_MOST_SESSIONS = 200


def findings(clinic: Clinic) -> Iterator[Flaw]:
    """Find everything that does not fit together."""
    ids = [(("programmes", index, "id"), one.id) for index, one in enumerate(clinic.programmes)]
    former = [
        (("programmes", index, "formerly", number), name)
        for index, one in enumerate(clinic.programmes)
        for number, name in enumerate(one.formerly)
    ]
    yield from twice([*ids, *former])
    for index, programme in enumerate(clinic.programmes):
        place: Place = ("programmes", index)
        if programme.phases:
            yield from _course(programme, place)
        elif programme.groups or programme.reviews:
            yield Flaw(place, "has groups or reviews without phases that say when they are")
        elif programme.total is not None:
            yield from _total(programme, place)
        elif programme.treatments:
            yield Flaw(place, "has treatments without phases, or a total, that say when they are")
    for index, person in enumerate(clinic.people):
        for number, hours in enumerate(person.hours):
            for position, programme_id in enumerate(hours.programmes):
                place = ("people", index, "hours", number, "programmes", position)
                yield from known(place, programme_id, (one.id for one in clinic.programmes))


def _course(programme: Programme, place: Place) -> Iterator[Flaw]:
    if programme.sessions is not None:
        yield Flaw((*place, "sessions"), "stands beside phases, which say the same; one is allowed")
    given = {one for phase in programme.phases for one in phase.per_week}
    yield from _treatments(programme, place, given=given)
    for index, phase in enumerate(programme.phases):
        yield from _length(phase, (*place, "phases", index))
        yield from _phase(programme, phase, (*place, "phases", index))
    weeks = sum(len(phase.with_sessions) for phase in programme.phases)
    if weeks > programme.weeks:
        yield Flaw((*place, "phases"), f"take {weeks} weeks; the programme has {programme.weeks}")
    counts: Counter[Discipline] = Counter()
    for phase in programme.phases:
        counts.update({one: sum(phase.with_sessions) * count for one, count in phase.per_week.items()})
    if counts.total() > _MOST_SESSIONS:
        yield Flaw(
            (*place, "phases"), f"have {counts.total()} sessions; at most {_MOST_SESSIONS} are allowed"
        )
    for name, discipline in SHORT_NAMES.items():
        most = programme.total.most.get(discipline) if programme.total else None
        if most is not None and most >= counts[discipline]:
            yield Flaw((*place, "total", name), f"bounds nothing: the phases have {counts[discipline]}")
    yield from _visits(programme, place, weeks=weeks)


def _total(programme: Programme, place: Place) -> Iterator[Flaw]:
    """Look at a total that has no phases."""
    most = programme.total.most if programme.total else {}
    if programme.sessions is not None:
        yield Flaw((*place, "total"), "stands beside sessions, which say their count; one is allowed")
    if not most:
        yield Flaw((*place, "total"), f"has no sessions; allowed are {', '.join(SHORT_NAMES)}")
    yield from _treatments(programme, place, given=set(most))
    needs = {one.discipline for one in programme.treatments}
    for name, discipline in SHORT_NAMES.items():
        if discipline in most and discipline not in needs:
            what = f"treatments do not say what a session of {discipline.value} needs"
            yield Flaw((*place, "total", name), what)
        if most.get(discipline, 0) > 7 * programme.weeks:
            yield Flaw((*place, "total", name), f"does not fit into {programme.weeks} weeks, one a day")


def _treatments(programme: Programme, place: Place, *, given: Collection[Discipline]) -> Iterator[Flaw]:
    disciplines = [one.discipline for one in programme.treatments]
    yield from twice(
        ((*place, "treatments", index, "discipline"), one.value) for index, one in enumerate(disciplines)
    )
    for index, discipline in enumerate(disciplines):
        if discipline not in given:
            here = (*place, "treatments", index, "discipline")
            yield Flaw(here, f"no phase has sessions of {discipline.value}")


def _length(phase: Phase, place: Place) -> Iterator[Flaw]:
    """Look at how long a phase takes: so many weeks, or months of monthly visits."""
    if (phase.weeks is None) == (phase.months is None):
        yield Flaw(place, "says its weeks, or its months; one of both")
    if (phase.months is None) != (phase.visits is None):
        yield Flaw(place, "of months says `visits: monthly`, and no other does")
    if phase.months is not None and (phase.days or phase.hours):
        yield Flaw(place, "of months has no days and hours: these are of a week")


def _phase(programme: Programme, phase: Phase, place: Place) -> Iterator[Flaw]:
    minutes = {one.discipline: one.minutes for one in programme.treatments}
    if not phase.per_week:
        yield Flaw(place, f"has no sessions; allowed are {', '.join(SHORT_NAMES)}")
    for name, discipline in SHORT_NAMES.items():
        count = phase.per_week.get(discipline, 0)
        if count and discipline not in minutes:
            yield Flaw((*place, name), f"treatments do not say what a session of {discipline.value} needs")
        if phase.days is not None and count > phase.days:
            yield Flaw((*place, name), f"is more than the {phase.days} days of a week; one a day is allowed")
    if phase.hours is not None and phase.days is None:
        yield Flaw((*place, "hours"), "are those of a day: say on how many days of a week")
    elif phase.hours is not None and phase.days is not None:
        needed = sum(count * minutes.get(one, 0) for one, count in phase.per_week.items())
        if needed > phase.days * phase.hours * 60:
            yield Flaw((*place, "hours"), f"a week has {needed} minutes of sessions, which do not fit")


def _visits(programme: Programme, place: Place, *, weeks: int) -> Iterator[Flaw]:
    groups = [visit.id for visit in programme.visits if visit.kind == "group"]
    for index, name in enumerate(programme.groups):
        yield from known((*place, "groups", index), name, groups)
    yield from twice(((*place, "groups", index), name) for index, name in enumerate(programme.groups))
    reviews = programme.reviews
    if reviews is not None:
        named = [visit.id for visit in programme.visits if visit.kind in ("review", "telehealth")]
        yield from known((*place, "reviews", "visit"), reviews.visit, named)
        for index, week in enumerate(reviews.weeks):
            if not 1 <= week <= weeks or week in reviews.weeks[:index]:
                text = f"is a week of the course, 1 to {weeks}, and stands here once"
                yield Flaw((*place, "reviews", "weeks", index), text)
