"""Form the team of a referral at its first booking; a booking with somebody else brings that person in.

Bookings that come together are decided one by one and written together, each table once.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from services.careteam import fhir, queries, rules
from services.careteam.models.rows import Team, TeamMember
from services.careteam.states import TeamState
from services.careteam.use_cases import change_team
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog.careteam import CareTeamFormed
from shared.events.catalog.scheduling import AppointmentEvent
from shared.events.outbox.publishing import Publication, publish_first
from shared.fhir import store


@dataclass(slots=True, kw_only=True)
class Forming:
    """What is known of the referrals whose teams are formed together, locked, and what is to be written.

    `load` counts for each site in how many teams a person is, `more` how many of those came just now and are
    not written yet, as are the teams of `formed` with their members.
    """

    ended: set[str]
    teams: dict[str, Team]
    members: dict[UUID, list[TeamMember]]
    load: dict[str, Counter[str]]
    more: dict[str, Counter[str]]
    formed: list[Publication] = field(default_factory=list)


async def run(ctx: Context, tx: Transaction, visit: AppointmentEvent) -> Team | None:
    """Form the team of a referral, once; returns None where the referral has ended before.

    A later booking with a person who is not in the team puts that person in the place of their discipline.
    """
    forming = await load(ctx, tx, [visit])
    team = await decide(ctx, tx, visit, forming=forming)
    await save(tx, forming)
    return team


async def load(ctx: Context, tx: Transaction, visits: Sequence[AppointmentEvent]) -> Forming:
    """Lock and read what forming the teams of these visits needs."""
    referrals = [visit.referral for visit in visits]
    await tx.lock_names(referrals)
    teams = await queries.teams.of_referrals(tx, referrals)
    wanted = {visit.programme for visit in visits if visit.referral not in teams}
    sites = sorted({ctx.clinic.programme(programme).site for programme in wanted})
    return Forming(
        ended=await queries.teams.ended_referrals(tx, referrals),
        teams=teams,
        members=await queries.teams.members_of_all(tx, [team.id for team in teams.values()]),
        load=await queries.teams.caseload(tx, sites=sites),
        more={site: Counter() for site in sites},
    )


async def decide(ctx: Context, tx: Transaction, visit: AppointmentEvent, *, forming: Forming) -> Team | None:
    """Form the team of one visit of several, or bring in who sees the patient; `save` writes new teams."""
    if visit.referral in forming.ended:
        return None
    team = forming.teams.get(visit.referral)
    if team is None:
        return _form(ctx, visit, forming=forming)
    if team.status != TeamState.ACTIVE:
        return team
    ever = forming.members[team.id]
    places = rules.teams.places_with(ctx.clinic, ever, practitioner=visit.practitioner)
    if places is not None:
        await save(tx, forming)
        forming.members[team.id] = await change_team.change_members(ctx, tx, team, ever=ever, wanted=places)
    return team


async def save(tx: Transaction, forming: Forming) -> None:
    """Write the new teams and whom they have given more to do, and publish that they were formed."""
    teams = [publication.of for publication in forming.formed]
    await publish_first(tx, forming.formed)
    await tx.insert(*teams, *(member for team in teams for member in forming.members[team.id]))
    await queries.teams.change_caseload(tx, forming.more)
    forming.formed.clear()
    for more in forming.more.values():
        more.clear()


def _form(ctx: Context, visit: AppointmentEvent, *, forming: Forming) -> Team:
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
        person=visit.person,
        identifiers=[f"{fhir.elements.REFERRAL_SYSTEM}|{visit.referral}"],
    )
    members = rules.teams.joining_members(team, places, at=ctx.at)
    store.fill(team, fhir.teams.care_team(ctx, team, members, missing=missing), at=ctx.at)
    forming.teams[visit.referral], forming.members[team.id] = team, members
    event = CareTeamFormed(patient_id=team.patient_id, referral_id=team.referral_id, resources=(team.body,))
    forming.formed.append(Publication(ctx=ctx, of=team, event=event))
    return team
