"""What must hold between the parts of a clinic: what is named exists, and what is promised can be kept."""

from collections.abc import Iterator, Sequence
from typing import Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from shared.clinic import client_checks
from shared.clinic.flaws import Flaw, Place, known, twice
from shared.clinic.guarantee import flaws_of_promise, flaws_of_terms
from shared.clinic.model import Clinic
from shared.clinic.programmes import Programme
from shared.clinic.staff import Absence, Person, Site
from shared.clinic.visits import Visit
from shared.fhir.codes import Stream


class Identified(Protocol):
    """A part of the clinic that has an id."""

    @property
    def id(self) -> str: ...


def findings(clinic: Clinic) -> Iterator[Flaw]:
    """Find everything that does not fit together."""
    yield from _guarantee(clinic)
    yield from _numbers(clinic)
    yield from _ids(clinic)
    yield from _payers(clinic)
    for index, site in enumerate(clinic.sites):
        yield from _site(clinic, site, ("sites", index))
    for index, person in enumerate(clinic.people):
        yield from _person(clinic, person, ("people", index))
    for index, programme in enumerate(clinic.programmes):
        yield from _programme(clinic, programme, ("programmes", index))
    for index, client in enumerate(clinic.clients):
        yield from client_checks.findings(clinic, client, ("clients", index))
    yield from _streams(clinic)
    yield from _scheduling(clinic)


def _guarantee(clinic: Clinic) -> Iterator[Flaw]:
    terms, promise = clinic.stated_guarantee, clinic.promise
    if terms is None and promise is None:
        yield Flaw(("guarantee",), "is missing: by when a patient of each priority is seen")
    elif terms is not None and promise is not None:
        yield Flaw(("promise",), "stands beside guarantee, which says the same by priority; one is allowed")
    for place, text in () if promise is None else flaws_of_promise(promise):
        yield Flaw(place, text)
    for place, text in () if terms is None else flaws_of_terms(terms):
        yield Flaw(place, text)


def _numbers(clinic: Clinic) -> Iterator[Flaw]:
    for index, week in enumerate(clinic.review_weeks):
        if week < 1 or week in clinic.review_weeks[:index]:
            yield Flaw(("review_weeks", index), "a week is a number from 1 that stands here once")


def _payers(clinic: Clinic) -> Iterator[Flaw]:
    for index, payer in enumerate(clinic.payers):
        if payer.late_cancel_uses_unit and payer.late_cancel_hours is None:
            text = "needs late_cancel_hours, which says when a cancellation is late"
            yield Flaw(("payers", index, "late_cancel_uses_unit"), text)


def _ids(clinic: Clinic) -> Iterator[Flaw]:
    locations = _each("sites", clinic.sites)
    for index, site in enumerate(clinic.sites):
        locations += [(("sites", index, *place), name) for place, name in _each("rooms", site.rooms)]
    here: tuple[Place, str] = (("id",), clinic.id)
    organizations = [here, *_each("payers", clinic.payers), *_each("organizations", clinic.organizations)]
    yield from twice(locations)
    yield from twice(organizations)
    yield from twice(_each("people", clinic.people))
    yield from twice(_each("programmes", clinic.programmes))
    yield from twice(_each("clients", clinic.clients))
    for member, named in (("payers", clinic.payers), ("organizations", clinic.organizations)):
        identifiers = [one.identifiers for one in named]
        yield from twice(
            ((member, i, "identifiers", j), text)
            for i, all_ in enumerate(identifiers)
            for j, text in enumerate(all_)
        )


def _each(member: str, things: Sequence[Identified]) -> list[tuple[Place, str]]:
    return [((member, index, "id"), thing.id) for index, thing in enumerate(things)]


def _site(clinic: Clinic, site: Site, place: Place) -> Iterator[Flaw]:
    try:
        ZoneInfo(site.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        yield Flaw(
            (*place, "time_zone"),
            f"{site.time_zone!r} is no time zone; allowed are names such as America/Toronto",
        )
    staff = [one.id for one in clinic.people if one.site == site.id]
    yield from known((*place, "meeting", "chair"), site.meeting.chair, staff)
    if site.meeting.start.hour * 60 + site.meeting.start.minute + site.meeting.minutes > 24 * 60:
        yield Flaw((*place, "meeting", "minutes"), "the meeting must end on the day on which it began")
    if not clinic.coordinators(site.id):
        yield Flaw(place, f"no client is a coordinator of {site.id!r}; a site needs one")


def _scheduling(clinic: Clinic) -> Iterator[Flaw]:
    for programme, number in clinic.scheduling.expected_per_week.items():
        place = ("scheduling", "expected_per_week", programme)
        yield from known(place, programme, (one.id for one in clinic.programmes))
        if not 0 <= number <= 1000:
            yield Flaw(place, "is a number of referrals a week, from 0 to 1000")


def _person(clinic: Clinic, person: Person, place: Place) -> Iterator[Flaw]:
    yield from known((*place, "site"), person.site, (site.id for site in clinic.sites))
    for index, hours in enumerate(person.hours):
        if hours.start >= hours.end:
            yield Flaw(
                (*place, "hours", index, "from"), f"must be before {hours.end:%H:%M}, the end of these hours"
            )
    for index, absence in enumerate(person.absences):
        if absence.start > absence.end:
            yield Flaw(
                (*place, "absences", index, "from"), f"must not be after {absence.end}, the last day away"
            )
        elif absence.start == absence.end and _ends_too_early(absence):
            yield Flaw(
                (*place, "absences", index, "from_time"), f"must be before {absence.end_time:%H:%M}, its end"
            )


def _ends_too_early(absence: Absence) -> bool:
    begins, ends = absence.start_time, absence.end_time
    return begins is not None and ends is not None and begins >= ends


def _programme(clinic: Clinic, programme: Programme, place: Place) -> Iterator[Flaw]:
    sites = {site.id: site for site in clinic.sites}
    yield from known((*place, "site"), programme.site, sites)
    yield from _eligibility(clinic, programme, (*place, "eligibility"))
    site = sites.get(programme.site)
    if site is None:
        return
    staff = [one for one in clinic.people if one.site == site.id]
    for index, discipline in enumerate(programme.team):
        if all(one.discipline != discipline for one in staff):
            yield Flaw(
                (*place, "team", index), f"nobody at {site.id!r} has the discipline {discipline.value!r}"
            )
    visits: list[tuple[Place, str, Visit | None]] = [
        (("first",), "first", programme.first),
        (("sessions",), "session", programme.sessions),
        *((("treatments", index), "session", visit) for index, visit in enumerate(programme.treatments)),
    ]
    for member, purpose, visit in visits:
        if visit is not None:
            yield from _visit(programme, site, staff, visit, purpose, (*place, *member))


def _eligibility(clinic: Clinic, programme: Programme, place: Place) -> Iterator[Flaw]:
    criteria = programme.eligibility
    for index, payer in enumerate(criteria.payers):
        yield from known((*place, "payers", index), payer, (one.id for one in clinic.payers))
    if criteria.max_age is not None and criteria.max_age < criteria.min_age:
        yield Flaw((*place, "max_age"), f"must not be under min_age, which is {criteria.min_age}")


def _visit(
    programme: Programme, site: Site, staff: list[Person], visit: Visit, purpose: str, place: Place
) -> Iterator[Flaw]:
    if visit.room not in {room.kind for room in site.rooms}:
        yield Flaw((*place, "room"), f"there is no {visit.room} room at {site.id!r}")
    if visit.discipline not in programme.team:
        yield Flaw((*place, "discipline"), f"must be of the programme's team: {', '.join(programme.team)}")
    hours = [hours for one in staff if one.discipline == visit.discipline for hours in one.hours]
    if not any(purpose in one.purpose and one.is_open_to(programme.id) for one in hours):
        yield Flaw(
            (*place, "discipline"),
            f"nobody of {visit.discipline.value} at {site.id!r} has hours for {purpose!r}",
        )


def _streams(clinic: Clinic) -> Iterator[Flaw]:
    served = {stream for programme in clinic.programmes for stream in programme.streams}
    for stream in Stream:
        if stream not in served:
            yield Flaw(
                ("programmes",), f"no programme is for the stream {stream.value!r}; each stream needs one"
            )
