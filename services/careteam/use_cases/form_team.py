"""The first booking makes the team; a booking with somebody else brings that person in."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from services.careteam import fhir, queries, rules
from services.careteam.models import Place, Team, TeamMember
from services.careteam.states import TeamState
from services.careteam.use_cases import change_team
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog import careteam
from shared.events.catalog.scheduling import AppointmentEvent
from shared.events.outbox import publishing
from shared.fhir import store


@dataclass(slots=True, kw_only=True)
class Forming:
    """What is known of the referrals whose teams are formed together, locked, and what changes meanwhile.

    `load` counts for each site in how many teams a person is, `more` how many of those came just now.
    """

    ended: set[str]
    teams: dict[str, Team]
    load: dict[str, Counter[str]]
    more: dict[str, Counter[str]]


async def form_team(ctx: Context, tx: Transaction, visit: AppointmentEvent) -> Team | None:
    """Form the team of a referral, once; gives None where the referral has ended before.

    A later booking with a person who is not in the team puts that person in the place of their discipline.
    """
    forming = await begin_forming(ctx, tx, [visit])
    team = await form_one(ctx, tx, visit, forming=forming)
    await end_forming(tx, forming)
    return team


async def begin_forming(ctx: Context, tx: Transaction, visits: Sequence[AppointmentEvent]) -> Forming:
    """Lock and load what forming the teams of these visits needs."""
    referrals = [visit.referral for visit in visits]
    await queries.teams.lock_referrals(tx, referrals)
    teams = await queries.teams.of_referrals(tx, referrals)
    wanted = {visit.programme for visit in visits if visit.referral not in teams}
    sites = sorted({ctx.clinic.programme(one).site for one in wanted})
    return Forming(
        ended=await queries.teams.ended_referrals(tx, referrals),
        teams=teams,
        load=await queries.teams.caseload(tx, sites=sites),
        more={site: Counter() for site in sites},
    )


async def form_one(
    ctx: Context, tx: Transaction, visit: AppointmentEvent, *, forming: Forming
) -> Team | None:
    """Do for one visit of several what `form_team` does."""
    if visit.referral in forming.ended:
        return None
    team = forming.teams.get(visit.referral)
    if team is None:
        team = forming.teams[visit.referral] = await _form(ctx, tx, visit, forming=forming)
    else:
        await _bring_in(ctx, tx, team, practitioner=visit.practitioner)
    return team


async def end_forming(tx: Transaction, forming: Forming) -> None:
    """Write down whom the new teams have given more to do."""
    await queries.teams.change_caseload(tx, forming.more)


async def _form(ctx: Context, tx: Transaction, visit: AppointmentEvent, *, forming: Forming) -> Team:
    programme = ctx.clinic.programme(visit.programme)
    load = forming.load[programme.site]
    places, missing = rules.teams.choose_members(ctx.clinic, programme, seen_by=visit.practitioner, load=load)
    people = [place.practitioner for place in places]
    load.update(people)
    forming.more[programme.site].update(people)

    team = Team(
        referral_id=visit.referral,
        patient_id=visit.key,
        programme=programme.id,
        site=programme.site,
        formed_at=ctx.at,
        identifiers=[f"{fhir.elements.REFERRAL_SYSTEM}|{visit.referral!s}"],
    )
    members = [_member(ctx, team, place) for place in places]
    rendered = fhir.teams.care_team(ctx, team, members, missing=missing)
    await store.put(tx, team, rendered, at=ctx.at)
    for member in members:
        tx.add(member)
    publishing.collect(tx, careteam.CareTeamFormed, of=team, key=team.patient_id, focus=team.body, ctx=ctx)
    return team


async def _bring_in(ctx: Context, tx: Transaction, team: Team, *, practitioner: str) -> None:
    """Put the person who will see the patient into the place of their discipline, if they are not in it."""
    members = [one for one in await queries.teams.members(tx, team.id) if one.left_at is None]
    if team.status != TeamState.ACTIVE or any(one.practitioner == practitioner for one in members):
        return
    person = ctx.clinic.person(practitioner)
    wanted = [
        Place(practitioner=one.practitioner, discipline=one.discipline)
        for one in members
        if one.discipline != person.discipline
    ]
    wanted.append(Place(practitioner=person.id, discipline=person.discipline))
    await change_team.change_members(ctx, tx, team, wanted=wanted)


def _member(ctx: Context, team: Team, place: Place) -> TeamMember:
    return TeamMember(
        team_id=team.id, practitioner=place.practitioner, discipline=place.discipline, joined_at=ctx.at
    )
