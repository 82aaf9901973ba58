"""Teams and who is in them."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from sqlalchemy import select

from services.careteam.models.rows import Team, TeamMember
from services.careteam.models.tables import TeamTable
from services.careteam.queries import scope
from shared.auth.principal import Principal
from shared.db import Transaction, core

_OF_REFERRALS = "SELECT * FROM team WHERE referral_id = ANY($1::text[]) ORDER BY id FOR UPDATE"
_ACTIVE_OF_PATIENT = """
SELECT * FROM team WHERE patient_id = $1 AND status = 'active' ORDER BY id FOR UPDATE
"""
_LOCK = "SELECT * FROM team WHERE id = $1 FOR UPDATE"
_MEMBERS = "SELECT * FROM team_member WHERE team_id = ANY($1::uuid[]) ORDER BY id"
_LOAD = "SELECT site, practitioner, teams FROM caseload WHERE site = ANY($1::text[])"
_CHANGE_LOAD = """
INSERT INTO caseload (site, practitioner, teams)
SELECT * FROM unnest($1::text[], $2::text[], $3::int[]) AS changed (site, practitioner, more) ORDER BY 1, 2
ON CONFLICT (site, practitioner) DO UPDATE SET teams = caseload.teams + excluded.teams
"""
_ENDED = "SELECT referral_id FROM ended_referral WHERE referral_id = ANY($1::text[])"


async def of_referrals(tx: Transaction, referral_ids: Collection[str]) -> dict[str, Team]:
    """Lock the teams of these referrals, and return them by referral."""
    found = await tx.rows(Team, _OF_REFERRALS, list(referral_ids))
    return {team.referral_id: team for team in found}


async def locked(tx: Transaction, team_id: UUID) -> Team:
    """Lock a team that is known to exist: everything that changes for its patient waits here."""
    team = await tx.row(Team, _LOCK, team_id)
    if team is None:
        raise LookupError(f"team {team_id}")
    return team


async def visible(tx: Transaction, team_id: UUID, *, by: Principal) -> Team | None:
    """Read a team inside the caller's row scope."""
    return await scope.row(tx, Team, TeamTable, team_id, within=scope.team(by))


async def of_patient_visible(tx: Transaction, patient_id: str, *, by: Principal) -> list[Team]:
    """List a patient's teams inside the caller's row scope, the oldest first."""
    columns = core.columns(TeamTable)
    wanted = select(*columns).where(columns.patient_id == patient_id, scope.team(by)).order_by(columns.id)
    return [Team(**record) for record in await tx.select(wanted)]


async def active_of_patient(tx: Transaction, patient_id: str) -> list[Team]:
    """Lock a patient's active teams."""
    return await tx.rows(Team, _ACTIVE_OF_PATIENT, patient_id)


async def members(tx: Transaction, team_id: UUID) -> list[TeamMember]:
    """List everybody who was ever in a team, in the order of joining."""
    return await tx.rows(TeamMember, _MEMBERS, [team_id])


async def current_members(tx: Transaction, team_id: UUID) -> list[TeamMember]:
    """List who is in a team now, in the order of joining."""
    return [member for member in await members(tx, team_id) if member.left_at is None]


async def members_of_all(tx: Transaction, team_ids: Sequence[UUID]) -> dict[UUID, list[TeamMember]]:
    """List for each of these teams everybody who was ever in it, in the order of joining."""
    found: dict[UUID, list[TeamMember]] = {team_id: [] for team_id in team_ids}
    for member in await tx.rows(TeamMember, _MEMBERS, list(team_ids)) if team_ids else ():
        found[member.team_id].append(member)
    return found


async def caseload(tx: Transaction, *, sites: Sequence[str]) -> dict[str, Counter[str]]:
    """Count for each of these sites and each person in how many active teams they are now."""
    found: dict[str, Counter[str]] = {site: Counter() for site in sites}
    for row in await tx.records(_LOAD, list(sites)) if sites else ():
        found[row["site"]][row["practitioner"]] = row["teams"]
    return found


async def change_caseload(tx: Transaction, changed: Mapping[str, Mapping[str, int]]) -> None:
    """Count for each site the teams that its people came into (or, below zero, left)."""
    rows = [
        (site, person, more)
        for site in sorted(changed)
        for person, more in sorted(changed[site].items())
        if more
    ]
    if rows:
        await tx.run(_CHANGE_LOAD, *map(list, zip(*rows, strict=True)))


async def ended_referrals(tx: Transaction, referral_ids: Collection[str]) -> set[str]:
    """Return those of these referrals that have ended."""
    return {row["referral_id"] for row in await tx.records(_ENDED, list(referral_ids))}
