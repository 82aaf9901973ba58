"""Bring up an action that is not done in time."""

from uuid import UUID

from services.careteam import queries
from services.careteam.states import LIVE_ACTIONS, TeamState
from services.careteam.use_cases import put_on_agenda
from services.careteam.use_cases.assign_action import OVERDUE
from shared.context import Context
from shared.db import Transaction
from shared.reasons import Reason

__all__ = ["OVERDUE", "run"]


async def run(ctx: Context, tx: Transaction, task_id: UUID) -> None:
    """Put the case of an action that is not done in time on the next agenda."""
    team_id = await queries.tasks.team_of(tx, task_id)
    if team_id is None:
        raise LookupError(f"action {task_id}")
    team = await queries.teams.locked(tx, team_id)
    action = await queries.tasks.locked(tx, task_id)
    if action is None or action.state not in LIVE_ACTIONS or team.status != TeamState.ACTIVE:
        return
    await put_on_agenda.run(ctx, tx, team, why=Reason.of("action-overdue"))
