"""Scored outcomes, and messages."""

from uuid import UUID

from services.careteam.models.rows import Message, Outcome
from services.careteam.models.tables import MessageTable
from services.careteam.queries import scope
from shared.auth.principal import Principal
from shared.db import Transaction

_OF_TEAM = "SELECT * FROM outcome WHERE team_id = $1 ORDER BY baseline DESC, effective_at, id"


async def of_team(tx: Transaction, team_id: UUID) -> list[Outcome]:
    """List all outcomes of a team's patient as they were measured, each baseline first."""
    return await tx.rows(Outcome, _OF_TEAM, team_id)


async def lock_all(tx: Transaction, team_id: UUID) -> list[Outcome]:
    """Lock all outcomes of a team's patient, and list them as `of_team` does."""
    return await tx.rows(Outcome, f"{_OF_TEAM} FOR UPDATE", team_id)


async def message_visible(tx: Transaction, message_id: UUID, *, by: Principal) -> Message | None:
    """Read a message inside the caller's row scope."""
    return await scope.row(tx, Message, MessageTable, message_id, within=scope.message(by))
