"""The first booking makes the team; a booking with somebody else brings that person in."""

from services.careteam import fhir, queries, rules
from services.careteam.fhir.booked import Visit
from services.careteam.models import Place, Team, TeamMember
from services.careteam.settings import Settings
from services.careteam.states import TeamState
from services.careteam.use_cases import change_team
from shared.act import Act
from shared.db import Transaction
from shared.events import outbox
from shared.events.catalog import careteam
from shared.fhir import store


async def form_team(tx: Transaction, visit: Visit, *, settings: Settings, act: Act) -> Team | None:
    """Form the team of a referral, once; gives None where the referral has ended before.

    A later booking with a person who is not in the team puts that person in the place of their discipline.
    """
    await queries.teams.lock_referral(tx, visit.referral_id)
    if await queries.teams.ended_referral(tx, visit.referral_id) is not None:
        return None
    team = await queries.teams.of_referral(tx, visit.referral_id)
    if team is not None:
        await _bring_in(tx, team, practitioner=visit.practitioner, settings=settings, act=act)
        return team
    programme = settings.clinic.programme(visit.programme)
    load = await queries.teams.load_of_people(tx, site=programme.site)
    places, missing = rules.teams.choose_members(
        settings.clinic, programme, seen_by=visit.practitioner, load=load
    )

    team = Team(
        referral_id=visit.referral_id,
        patient_id=visit.patient_id,
        programme=programme.id,
        site=programme.site,
        formed_at=act.at,
        identifiers=[f"{fhir.elements.REFERRAL_SYSTEM}|{visit.referral_id}"],
    )
    members = [_member(team, place, act=act) for place in places]
    rendered = fhir.teams.care_team(team, members, settings=settings, missing=missing)
    await store.put(tx, team, rendered, at=act.at)
    for member in members:
        tx.add(member)
    outbox.publish(tx, careteam.CARETEAM_FORMED, of=team, key=team.patient_id, focus=team.body, act=act)
    return team


async def _bring_in(tx: Transaction, team: Team, *, practitioner: str, settings: Settings, act: Act) -> None:
    """Put the person who will see the patient into the place of their discipline, if they are not in it."""
    members = [one for one in await queries.teams.members(tx, team.id) if one.left_at is None]
    if team.status != TeamState.ACTIVE or any(one.practitioner == practitioner for one in members):
        return
    person = settings.clinic.person(practitioner)
    wanted = [
        Place(practitioner=one.practitioner, discipline=one.discipline)
        for one in members
        if one.discipline != person.discipline
    ]
    wanted.append(Place(practitioner=person.id, discipline=person.discipline))
    await change_team.change_members(tx, team, wanted=wanted, settings=settings, act=act)


def _member(team: Team, place: Place, *, act: Act) -> TeamMember:
    return TeamMember(
        team_id=team.id, practitioner=place.practitioner, discipline=place.discipline, joined_at=act.at
    )
