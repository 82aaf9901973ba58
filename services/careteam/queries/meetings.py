"""Meetings, who takes part, and their minutes."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from services.careteam.models.rows import Meeting, MeetingParticipant, Minutes
from services.careteam.models.tables import MeetingTable
from services.careteam.queries import scope
from services.careteam.states import MeetingState
from shared.auth.principal import Principal
from shared.db import Transaction

_LOCK = "SELECT * FROM meeting WHERE id = $1 FOR UPDATE"
_COLLECTING = """
SELECT * FROM meeting WHERE site = $1 AND state = $2 ORDER BY starts_at LIMIT 1 FOR UPDATE
"""
_STARTING_AT = "SELECT * FROM meeting WHERE site = $1 AND starts_at = $2"
_PARTICIPANTS = "SELECT * FROM meeting_participant WHERE meeting_id = $1 ORDER BY practitioner"
_INVITE = """
INSERT INTO meeting_participant (meeting_id, practitioner, attended)
SELECT DISTINCT $1::uuid, practitioner, false FROM team_member
WHERE team_id = ANY($2::uuid[]) AND left_at IS NULL ON CONFLICT DO NOTHING
"""
_MINUTES = "SELECT * FROM minutes WHERE meeting_id = $1 FOR UPDATE"


async def visible(tx: Transaction, meeting_id: UUID, *, by: Principal, lock: bool = False) -> Meeting | None:
    """Read or lock a meeting inside the caller's row scope."""
    return await scope.row(tx, Meeting, MeetingTable, meeting_id, within=scope.meeting(by), lock=lock)


async def locked(tx: Transaction, meeting_id: UUID) -> Meeting | None:
    """Lock a meeting."""
    return await tx.row(Meeting, _LOCK, meeting_id)


async def collecting(tx: Transaction, *, site: str) -> Meeting | None:
    """Lock the site's next meeting whose agenda is still open for new cases."""
    return await tx.row(Meeting, _COLLECTING, site, MeetingState.SCHEDULED)


async def starting_at(tx: Transaction, *, site: str, start: datetime) -> Meeting | None:
    """Find a site's meeting by its hour."""
    return await tx.row(Meeting, _STARTING_AT, site, start)


async def participants(tx: Transaction, meeting_id: UUID) -> list[MeetingParticipant]:
    """List who is invited to a meeting, by name."""
    return await tx.rows(MeetingParticipant, _PARTICIPANTS, meeting_id)


async def invite_teams(tx: Transaction, meeting_id: UUID, *, teams: Collection[UUID]) -> None:
    """Invite who is in these teams now; who is invited already stays as they are."""
    await tx.run(_INVITE, meeting_id, list(teams))


async def minutes(tx: Transaction, meeting_id: UUID) -> Minutes | None:
    """Lock the minutes of a meeting."""
    return await tx.row(Minutes, _MINUTES, meeting_id)
