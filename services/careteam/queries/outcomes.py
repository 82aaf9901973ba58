"""Scored outcomes."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from services.careteam.models import Message, Outcome
from services.careteam.queries import scope
from shared.auth.principal import Principal
from shared.db import Transaction


async def of_team(tx: Transaction, team_id: UUID) -> Sequence[Outcome]:
    """Load all outcomes of a team's patient, in the order in which they were measured."""
    return await tx.all(
        select(Outcome)
        .where(col(Outcome.team_id) == team_id)
        .order_by(col(Outcome.baseline).desc(), col(Outcome.effective_at), col(Outcome.id))
    )


async def locked(tx: Transaction, outcome_id: UUID) -> Outcome:
    """Load an outcome that is known to exist, locked and as the database has it, what was changed here
    included.
    """
    await tx.flush()
    outcome = await tx.get(Outcome, outcome_id, lock=True)
    if outcome is None:
        raise LookupError(f"outcome {outcome_id}")
    return outcome


async def message_visible(tx: Transaction, message_id: UUID, *, by: Principal) -> Message | None:
    """Load a message inside the caller's row scope."""
    return await tx.first(select(Message).where(col(Message.id) == message_id, scope.message(by)))
