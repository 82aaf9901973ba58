"""Change who is in a team; who goes sees nothing of the patient from that moment on."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.careteam import fhir, queries, rules
from services.careteam.models.rows import Place, Team, TeamMember
from services.careteam.use_cases import hand_over, record
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog.careteam import CareTeamChanged


async def run(ctx: Context, tx: Transaction, team: Team, *, asked: Mapping[str, Any]) -> None:
    """Give a team the members that the CareTeam names; `team` is locked and its version was compared."""
    wanted = fhir.teams.asked_members(ctx, asked, stored=fhir.elements.decoded(team.body))
    rules.teams.must_be_active(team)
    ever = await queries.teams.members(tx, team.id)
    await change_members(ctx, tx, team, ever=ever, wanted=wanted)


async def change_members(
    ctx: Context, tx: Transaction, team: Team, *, ever: Sequence[TeamMember], wanted: Sequence[Place]
) -> list[TeamMember]:
    """Let members go and come so that the wanted ones remain, and hand over what the leaving ones owned.

    `ever` is who was ever in the team; returns the same with who joins.
    """
    change = rules.teams.change_of_members(ever, wanted=wanted)
    if not change.leaving and not change.joining:
        return list(ever)
    for member in change.leaving:
        member.left_at = ctx.at
    newcomers = rules.teams.joining_members(team, change.joining, at=ctx.at)
    members = [*ever, *newcomers]
    rendered = fhir.teams.care_team(ctx, team, members)
    await record.change(ctx, tx, team, resource=rendered)
    await tx.update_all(change.leaving, "left_at")
    await tx.insert(*newcomers)
    changed = {member.practitioner: 1 for member in newcomers}
    changed |= {member.practitioner: -1 for member in change.leaving}
    await queries.teams.change_caseload(tx, {team.site: changed})
    await record.publish(ctx, tx, CareTeamChanged, team)
    if change.leaving:
        await hand_over.run(ctx, tx, team, change=change)
    return members
