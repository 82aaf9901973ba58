"""Members come and go; who goes sees nothing of the patient from that moment on."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.careteam import fhir, queries
from services.careteam.models import Place, Team, TeamMember
from services.careteam.states import TeamState
from services.careteam.use_cases import hand_over
from shared.context import Context
from shared.db import Transaction
from shared.errors import Conflict
from shared.events.catalog import careteam
from shared.events.outbox import publishing
from shared.fhir import store


class TeamHasEnded(Conflict):
    """The referral's care has ended, and its team with it."""


async def change_team(ctx: Context, tx: Transaction, team: Team, *, asked: Mapping[str, Any]) -> Team:
    """Give a team the members that the CareTeam names; `team` is locked and its version was compared."""
    findings = fhir.asked.Findings()
    wanted = fhir.teams.asked_members(ctx, asked, findings=findings)
    if not wanted and not findings.problems:
        findings.add("a team has at least one member", expression="CareTeam.participant", code="required")
    fhir.asked.unchanged(
        asked, fhir.decoded(team.body), members=("status", "subject", "identifier"), findings=findings
    )
    findings.refuse()
    if team.status != TeamState.ACTIVE:
        raise TeamHasEnded("the team has ended with its referral")
    await change_members(ctx, tx, team, wanted=wanted)
    return team


async def change_members(ctx: Context, tx: Transaction, team: Team, *, wanted: Sequence[Place]) -> None:
    """Let members go and come so that the wanted ones remain, and hand over what the leaving ones owned."""
    ever = list(await queries.teams.members(tx, team.id))
    now = [one for one in ever if one.left_at is None]
    people = {place.practitioner for place in wanted}
    leaving = [one for one in now if one.practitioner not in people]
    there = {one.practitioner for one in now}
    joining = [place for place in wanted if place.practitioner not in there]
    if not leaving and not joining:
        return

    for member in leaving:
        member.left_at = ctx.at
    newcomers = [
        TeamMember(
            team_id=team.id, practitioner=place.practitioner, discipline=place.discipline, joined_at=ctx.at
        )
        for place in joining
    ]
    rendered = fhir.teams.care_team(ctx, team, [*ever, *newcomers])
    await store.put(tx, team, rendered, at=ctx.at)
    for newcomer in newcomers:
        tx.add(newcomer)
    changed = {place.practitioner: 1 for place in joining} | {one.practitioner: -1 for one in leaving}
    await queries.teams.change_caseload(tx, {team.site: changed})
    publishing.collect(tx, careteam.CareTeamChanged, of=team, key=team.patient_id, focus=team.body, ctx=ctx)
    staying = [_place(one) for one in now if one not in leaving]
    for member in leaving:
        await hand_over.hand_over(ctx, tx, team, leaving=_place(member), joining=joining, staying=staying)


def _place(member: TeamMember) -> Place:
    return Place(practitioner=member.practitioner, discipline=member.discipline)
