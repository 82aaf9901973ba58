"""Teams and who is in them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import ARRAY, Text, any_, cast, select
from sqlmodel import col

from services.careteam.models import Team, TeamMember
from services.careteam.queries import scope
from shared.auth.principal import Principal
from shared.db import Transaction

_LOCK = """
SELECT pg_advisory_xact_lock(lock)
FROM (SELECT DISTINCT hashtextextended(id, 0) AS lock FROM unnest($1::text[]) AS id ORDER BY 1) AS locks
"""
_LOAD = "SELECT site, practitioner, teams FROM caseload WHERE site = ANY($1::text[])"
_CHANGE_LOAD = """
INSERT INTO caseload (site, practitioner, teams)
SELECT * FROM unnest($1::text[], $2::text[], $3::int[]) AS changed (site, practitioner, more) ORDER BY 1, 2
ON CONFLICT (site, practitioner) DO UPDATE SET teams = caseload.teams + excluded.teams
"""
_ENDED = "SELECT referral_id FROM ended_referral WHERE referral_id = ANY($1::text[])"


async def of_referrals(tx: Transaction, referral_ids: Sequence[str]) -> dict[str, Team]:
    """Load the teams of these referrals, locked."""
    found = await tx.all(
        select(Team)
        .where(col(Team.referral_id) == any_(cast(list(referral_ids), ARRAY(Text))))
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


async def caseload(tx: Transaction, *, sites: Sequence[str]) -> dict[str, Counter[str]]:
    """Tell for each of these sites and each person in how many active teams they are now."""
    found: dict[str, Counter[str]] = {site: Counter() for site in sites}
    for row in await tx.fetch(_LOAD, list(sites)) if sites else ():
        found[row["site"]][row["practitioner"]] = row["teams"]
    return found


async def change_caseload(tx: Transaction, changed: Mapping[str, Mapping[str, int]]) -> None:
    """Count for each site the teams that its people came into (or, below zero, left)."""
    rows = [(site, *one) for site in sorted(changed) for one in sorted(changed[site].items()) if one[1]]
    if rows:
        driver = await tx.driver()
        await driver.execute(_CHANGE_LOAD, *map(list, zip(*rows, strict=True)))


async def ended_referrals(tx: Transaction, referral_ids: Sequence[str]) -> set[str]:
    """Name those of these referrals that have ended."""
    return {row["referral_id"] for row in await tx.fetch(_ENDED, list(referral_ids))}


async def lock_referrals(tx: Transaction, referral_ids: Sequence[str]) -> None:
    """Wait for whoever forms or ends the teams of these referrals now: before there is a row, this is the
    lock.
    """
    driver = await tx.driver()
    await driver.execute(_LOCK, list(referral_ids))
