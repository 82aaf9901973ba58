"""What must hold of the course of a programme: who gives its sessions, where, and that a week has room."""

from collections.abc import Iterator

from shared.clinic.courses import SHORT_NAMES, Phase
from shared.clinic.flaws import Flaw, Place, known, twice
from shared.clinic.model import Clinic
from shared.clinic.programmes import Programme

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
        elif programme.treatments or programme.groups or programme.reviews:
            yield Flaw(place, "has treatments, groups or reviews without phases that say when they are")
    for index, person in enumerate(clinic.people):
        for number, hours in enumerate(person.hours):
            for position, programme_id in enumerate(hours.programmes):
                place = ("people", index, "hours", number, "programmes", position)
                yield from known(place, programme_id, (one.id for one in clinic.programmes))


def _course(programme: Programme, place: Place) -> Iterator[Flaw]:
    if programme.sessions is not None:
        yield Flaw((*place, "sessions"), "stands beside phases, which say the same; one is allowed")
    disciplines = [one.discipline for one in programme.treatments]
    yield from twice(
        ((*place, "treatments", index, "discipline"), one.value) for index, one in enumerate(disciplines)
    )
    given = {one for phase in programme.phases for one in phase.per_week}
    for index, discipline in enumerate(disciplines):
        if discipline not in given:
            here = (*place, "treatments", index, "discipline")
            yield Flaw(here, f"no phase has sessions of {discipline.value}")
    for index, phase in enumerate(programme.phases):
        yield from _phase(programme, phase, (*place, "phases", index))
    weeks = sum(phase.weeks for phase in programme.phases)
    if weeks > programme.weeks:
        yield Flaw((*place, "phases"), f"take {weeks} weeks; the programme has {programme.weeks}")
    sessions = sum(phase.weeks * sum(phase.per_week.values()) for phase in programme.phases)
    if sessions > _MOST_SESSIONS:
        yield Flaw((*place, "phases"), f"have {sessions} sessions; at most {_MOST_SESSIONS} are allowed")
    yield from _visits(programme, place, weeks=weeks)


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
