"""Who is in a team: one person for each discipline of the programme."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.careteam import texts
from services.careteam.models.rows import Place, Team, TeamMember
from services.careteam.states import TeamState
from shared.clinic import Clinic, Discipline, Programme
from shared.errors import Conflict
from shared.reasons import Reason


class TeamHasEnded(Conflict):
    """The referral's care has ended, and its team with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberChange:
    """Who leaves a team, who joins it, and who stays."""

    leaving: Sequence[TeamMember]
    joining: Sequence[Place]
    staying: Sequence[Place]


def why_ended(team: Team) -> Reason | None:
    """Say that a team has ended; None for one that is active."""
    return None if team.status == TeamState.ACTIVE else Reason.of("team-has-ended")


def must_be_active(team: Team) -> None:
    """Raise TeamHasEnded for a team that has ended."""
    if (why := why_ended(team)) is not None:
        raise TeamHasEnded.because(why, texts.REASONS)


def why_case_waits(*, waits: bool) -> Reason | None:
    """Say that a patient's case waits for a meeting already; it waits there once."""
    return Reason.of("already-on-the-agenda") if waits else None


def choose_members(
    clinic: Clinic, programme: Programme, *, seen_by: str, load: Mapping[str, int]
) -> tuple[list[Place], list[Discipline]]:
    """Choose a team: who sees the patient first for their discipline, else the least loaded of the site.

    `load` counts the teams in which a person is now; between equals the order of clinic.yaml decides.
    Returns also the disciplines that nobody at the site has.
    """
    places = [
        Place(practitioner=person.id, discipline=person.discipline)
        for person in clinic.people
        if person.id == seen_by
    ]
    missing = []
    for discipline in programme.team:
        if any(place.discipline == discipline for place in places):
            continue
        candidates = [
            person
            for person in clinic.people
            if person.discipline == discipline and person.site == programme.site
        ]
        if not candidates:
            missing.append(discipline)
            continue
        chosen = min(candidates, key=lambda person: load.get(person.id, 0))
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


def change_of_members(ever: Sequence[TeamMember], *, wanted: Sequence[Place]) -> MemberChange:
    """Find who leaves and who joins, so that the wanted people are the team; `ever` is who was ever in it."""
    now = [member for member in ever if member.left_at is None]
    people = {place.practitioner for place in wanted}
    there = {member.practitioner for member in now}
    return MemberChange(
        leaving=[member for member in now if member.practitioner not in people],
        joining=[place for place in wanted if place.practitioner not in there],
        staying=[place_of(member) for member in now if member.practitioner in people],
    )


def places_with(clinic: Clinic, ever: Sequence[TeamMember], *, practitioner: str) -> list[Place] | None:
    """Put a person into the place of their discipline; returns None where they are in the team already."""
    now = [place_of(member) for member in ever if member.left_at is None]
    if any(place.practitioner == practitioner for place in now):
        return None
    person = clinic.person(practitioner)
    others = [place for place in now if place.discipline != person.discipline]
    return [*others, Place(practitioner=person.id, discipline=person.discipline)]


def joining_members(team: Team, places: Sequence[Place], *, at: datetime) -> list[TeamMember]:
    """Make the members who take these places in a team from now on."""
    return [
        TeamMember(
            team_id=team.id, practitioner=place.practitioner, discipline=place.discipline, joined_at=at
        )
        for place in places
    ]


def place_of(member: TeamMember) -> Place:
    """Return the place that a member has."""
    return Place(practitioner=member.practitioner, discipline=member.discipline)
