"""Who is in a team: one person for each discipline of the programme."""

from collections.abc import Mapping, Sequence

from services.careteam.models import Place
from shared.clinic import Clinic, Discipline, Person, Programme


def choose_members(
    clinic: Clinic, programme: Programme, *, seen_by: str, load: Mapping[str, int]
) -> tuple[list[Place], list[Discipline]]:
    """Choose a team: who sees the patient first for their discipline, else the least loaded of the site.

    `load` counts the teams in which a person is now; between equals the order of clinic.yaml decides. Gives
    also the disciplines that nobody at the site has.
    """
    first = _person(clinic, seen_by)
    places = [] if first is None else [Place(practitioner=first.id, discipline=first.discipline)]
    missing = []
    for discipline in programme.team:
        if any(place.discipline == discipline for place in places):
            continue
        candidates = [
            one for one in clinic.people if one.discipline == discipline and one.site == programme.site
        ]
        if not candidates:
            missing.append(discipline)
            continue
        chosen = min(candidates, key=lambda one: load.get(one.id, 0))
        places.append(Place(practitioner=chosen.id, discipline=discipline))
    return places, missing


def successor(leaving: Place, *, joining: Sequence[Place], staying: Sequence[Place], owner: str) -> str:
    """Say who takes over from a member who leaves.

    The newcomer of the same discipline, else the plan's owner where that is a member who stays, else whoever
    stays or joins first.
    """
    same = [place.practitioner for place in joining if place.discipline == leaving.discipline]
    left = [place.practitioner for place in (*staying, *joining)]
    return (same + [owner] * (owner in left) + left)[0]


def _person(clinic: Clinic, person_id: str) -> Person | None:
    return next((one for one in clinic.people if one.id == person_id), None)
