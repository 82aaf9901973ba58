"""Teams and who is in them."""

from collections import Counter
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from services.careteam.models import EndedReferral, Team, TeamMember
from services.careteam.queries import scope
from services.careteam.states import TeamState
from shared.auth.principal import Principal
from shared.db import Transaction


async def of_referral(tx: Transaction, referral_id: str) -> Team | None:
    """Load the team of a referral, locked."""
    return await tx.first(
        select(Team)
        .where(col(Team.referral_id) == referral_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )


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


async def load_of_people(tx: Transaction, *, site: str) -> dict[str, int]:
    """Count for each person the active teams of a site in which they are now."""
    now = await tx.all(
        select(TeamMember)
        .join(Team, col(Team.id) == col(TeamMember.team_id))
        .where(
            col(Team.site) == site, col(Team.status) == TeamState.ACTIVE, col(TeamMember.left_at).is_(None)
        )
    )
    return Counter(member.practitioner for member in now)


async def ended_referral(tx: Transaction, referral_id: str) -> EndedReferral | None:
    """Tell whether, and why, a referral has ended."""
    return await tx.get(EndedReferral, referral_id)


async def lock_referral(tx: Transaction, referral_id: str) -> None:
    """Wait for whoever forms or ends the team of this referral now: before there is a row, this is the
    lock.
    """
    await tx.sql("SELECT pg_advisory_xact_lock(hashtextextended(:referral, 0))", referral=referral_id)
