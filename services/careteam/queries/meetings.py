"""Meetings, who takes part, and their minutes."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from services.careteam.models import Meeting, MeetingParticipant, Minutes, Team
from services.careteam.queries import scope
from services.careteam.states import MeetingState, TeamState
from shared.auth.principal import Principal
from shared.db import Transaction


async def visible(tx: Transaction, meeting_id: UUID, *, by: Principal) -> Meeting | None:
    """Load a meeting inside the caller's row scope."""
    return await tx.first(select(Meeting).where(col(Meeting.id) == meeting_id, scope.meeting(by)))


async def locked(tx: Transaction, meeting_id: UUID) -> Meeting | None:
    """Load a meeting, locked."""
    return await tx.get(Meeting, meeting_id, lock=True)


async def collecting(tx: Transaction, *, site: str) -> Meeting | None:
    """Load the site's next meeting whose agenda is still open for new cases, locked."""
    return await tx.first(
        select(Meeting)
        .where(col(Meeting.site) == site, col(Meeting.state) == MeetingState.SCHEDULED)
        .order_by(col(Meeting.starts_at))
        .limit(1)
        .with_for_update()
        .execution_options(populate_existing=True)
    )


async def starting_at(tx: Transaction, *, site: str, start: datetime) -> Meeting | None:
    """Find a site's meeting by its hour."""
    return await tx.first(select(Meeting).where(col(Meeting.site) == site, col(Meeting.starts_at) == start))


async def participants(tx: Transaction, meeting_id: UUID) -> Sequence[MeetingParticipant]:
    """Load who is invited to a meeting, by name."""
    return await tx.all(
        select(MeetingParticipant)
        .where(col(MeetingParticipant.meeting_id) == meeting_id)
        .order_by(col(MeetingParticipant.practitioner))
    )


async def minutes(tx: Transaction, meeting_id: UUID) -> Minutes | None:
    """Load the minutes of a meeting, locked."""
    return await tx.first(
        select(Minutes)
        .where(col(Minutes.meeting_id) == meeting_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )


async def active_teams(tx: Transaction, *, site: str) -> Sequence[UUID]:
    """List the teams that care for patients at a site now."""
    return await tx.all(
        select(col(Team.id)).where(col(Team.site) == site, col(Team.status) == TeamState.ACTIVE)
    )
