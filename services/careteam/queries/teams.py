"""Teams and who is in them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from services.careteam.models import Caseload, EndedReferral, Team, TeamMember
from services.careteam.queries import scope
from shared.auth.principal import Principal
from shared.db import Transaction

_LOCK = """
SELECT pg_advisory_xact_lock(lock)
FROM (SELECT DISTINCT hashtextextended(id, 0) AS lock FROM unnest($1::text[]) AS id ORDER BY 1) AS locks
"""
_CHANGE_LOAD = """
INSERT INTO caseload (site, practitioner, teams)
SELECT $1, practitioner, more FROM unnest($2::text[], $3::int[]) AS changed (practitioner, more)
ORDER BY practitioner
ON CONFLICT (site, practitioner) DO UPDATE SET teams = caseload.teams + excluded.teams
"""


async def of_referrals(tx: Transaction, referral_ids: Sequence[str]) -> dict[str, Team]:
    """Load the teams of these referrals, locked."""
    found = await tx.all(
        select(Team)
        .where(col(Team.referral_id).in_(referral_ids))
        .order_by(col(Team.id))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {team.referral_id: team for team in found}


async def locked(tx: Transaction, team_id: UUID) -> Team:
    """Load a team that is known to exist, locked: everything that changes for its patient waits here."""
    team = await tx.get(Team, team_id, lock=True)
    if team is None:
        raise LookupError(f"team {team_id}")
    return team


async def visible(tx: Transaction, team_id: UUID, *, by: Principal) -> Team | None:
    """Load a team inside the caller's row scope."""
    return await tx.first(select(Team).where(col(Team.id) == team_id, scope.team(by)))


async def of_patient_visible(tx: Transaction, patient_id: str, *, by: Principal) -> Sequence[Team]:
    """Load a patient's teams inside the caller's row scope, the oldest first."""
    return await tx.all(
        select(Team).where(col(Team.patient_id) == patient_id, scope.team(by)).order_by(col(Team.id))
    )


async def members(tx: Transaction, team_id: UUID) -> Sequence[TeamMember]:
    """Load everybody who was ever in a team, in the order of joining."""
    return await tx.all(
        select(TeamMember).where(col(TeamMember.team_id) == team_id).order_by(col(TeamMember.id))
    )


async def caseload(tx: Transaction, *, site: str) -> Counter[str]:
    """Tell for each person in how many active teams of a site they are now."""
    found = await tx.all(select(Caseload).where(col(Caseload.site) == site))
    return Counter({row.practitioner: row.teams for row in found})


async def change_caseload(tx: Transaction, *, site: str, by: Mapping[str, int]) -> None:
    """Count teams that people of a site came into (or, below zero, left)."""
    people = [person for person in sorted(by) if by[person]]
    if people:
        driver = await tx.driver()
        await driver.execute(_CHANGE_LOAD, site, people, [by[person] for person in people])


async def ended_referrals(tx: Transaction, referral_ids: Sequence[str]) -> set[str]:
    """Name those of these referrals that have ended."""
    ended = select(EndedReferral).where(col(EndedReferral.referral_id).in_(referral_ids))
    return {row.referral_id for row in await tx.all(ended)}


async def lock_referrals(tx: Transaction, referral_ids: Sequence[str]) -> None:
    """Wait for whoever forms or ends the teams of these referrals now: before there is a row, this is the
    lock.
    """
    driver = await tx.driver()
    await driver.execute(_LOCK, list(referral_ids))
