"""What must hold of the visits that a programme names: who gives them, in which room, with what."""

from collections.abc import Iterator

from shared.clinic.flaws import Flaw, Place, twice
from shared.clinic.model import Clinic
from shared.clinic.programmes import Programme
from shared.clinic.staff import Site
from shared.clinic.visits import VisitType

# Names under which the first visit and a session of every programme are booked.
OWN_NAMES = ("first", "session")


def findings(clinic: Clinic) -> Iterator[Flaw]:
    """Find everything that does not fit together."""
    sites = {site.id: site for site in clinic.sites}
    yield from twice(
        ((*("sites", index), "equipment", number, "id"), device.id)
        for index, site in enumerate(clinic.sites)
        for number, device in enumerate(site.equipment)
    )
    for index, programme in enumerate(clinic.programmes):
        place: Place = ("programmes", index, "visits")
        yield from twice(((*place, number, "id"), visit.id) for number, visit in enumerate(programme.visits))
        site = sites.get(programme.site)
        for number, visit in enumerate(programme.visits):
            yield from _itself(visit, (*place, number))
            if site is not None:
                yield from _people(clinic, programme, visit, (*place, number))
                yield from _things(site, visit, (*place, number))


def _itself(visit: VisitType, place: Place) -> Iterator[Flaw]:
    if visit.id in OWN_NAMES:
        yield Flaw((*place, "id"), f"{visit.id!r} is what the programme's own {visit.id} visit is called")
    yield from twice(((*place, "disciplines", index), one) for index, one in enumerate(visit.disciplines))
    if (visit.kind == "group") != (visit.seats is not None):
        yield Flaw((*place, "seats"), "is said of a group, and of a group only")
    if visit.kind == "joint-first" and len(visit.disciplines) < 2:
        yield Flaw((*place, "disciplines"), "a joint visit is given by two disciplines or more")
    if visit.kind == "telehealth" and visit.room is not None:
        yield Flaw((*place, "room"), "a telehealth visit has no room")
    if visit.kind != "telehealth" and visit.room is None:
        yield Flaw((*place, "room"), "is missing: a visit that is no telehealth takes a room")


def _people(clinic: Clinic, programme: Programme, visit: VisitType, place: Place) -> Iterator[Flaw]:
    for index, discipline in enumerate(visit.disciplines):
        here = (*place, "disciplines", index)
        if discipline not in programme.team:
            yield Flaw(here, f"must be of the programme's team: {', '.join(programme.team)}")
        staff = [one for one in clinic.people if (one.site, one.discipline) == (programme.site, discipline)]
        hours = [part for one in staff for part in one.hours if part.is_open_to(programme.id)]
        if not any(visit.purpose in part.purpose for part in hours):
            text = f"nobody of {discipline.value} at {programme.site!r} has hours for {visit.purpose!r}"
            yield Flaw(here, text)


def _things(site: Site, visit: VisitType, place: Place) -> Iterator[Flaw]:
    rooms = [room for room in site.rooms if room.kind == visit.room]
    if visit.room is not None and not rooms:
        yield Flaw((*place, "room"), f"there is no {visit.room} room at {site.id!r}")
    elif visit.wheelchair and not any(room.wheelchair for room in rooms):
        yield Flaw((*place, "wheelchair"), f"no {visit.room} room at {site.id!r} is for a wheelchair")
    kinds = sorted({device.kind for device in site.equipment})
    for index, kind in enumerate(visit.equipment):
        if kind not in kinds:
            allowed = ", ".join(kinds) or "none"
            yield Flaw(
                (*place, "equipment", index), f"there is no {kind!r} at {site.id!r}; allowed are {allowed}"
            )
