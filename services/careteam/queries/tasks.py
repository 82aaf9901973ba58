"""Cases and actions."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Select, select
from sqlmodel import col

from services.careteam.models import CareTask
from services.careteam.queries import scope
from services.careteam.states import LIVE_ACTIONS, LIVE_CASES
from shared.auth.principal import Principal
from shared.db import Transaction
from shared.fhir.codes import TaskCode


async def visible(tx: Transaction, task_id: UUID, *, by: Principal) -> CareTask | None:
    """Load a case or an action inside the caller's row scope."""
    return await tx.first(select(CareTask).where(col(CareTask.id) == task_id, scope.task(by)))


async def locked(tx: Transaction, task_id: UUID) -> CareTask | None:
    """Load a case or an action, locked."""
    return await tx.get(CareTask, task_id, lock=True)


async def live_case(tx: Transaction, team_id: UUID) -> CareTask | None:
    """Load the one case of a team that waits for a decision, locked."""
    return await tx.first(
        _locked_tasks().where(
            col(CareTask.team_id) == team_id,
            col(CareTask.code) == TaskCode.AGENDA_ITEM,
            col(CareTask.state).in_(LIVE_CASES),
        )
    )


async def live_actions(tx: Transaction, team_id: UUID, *, owner: str | None = None) -> Sequence[CareTask]:
    """Load a team's actions that are not done, locked; only those of one owner where it is named."""
    statement = _locked_tasks().where(
        col(CareTask.team_id) == team_id,
        col(CareTask.code) == TaskCode.ACTION,
        col(CareTask.state).in_(LIVE_ACTIONS),
    )
    return await tx.all(statement if owner is None else statement.where(col(CareTask.owner) == owner))


async def cases_of_meeting(tx: Transaction, meeting_id: UUID) -> Sequence[CareTask]:
    """Load the cases that stand on a meeting's agenda, whatever became of them, locked."""
    return await tx.all(
        _locked_tasks().where(
            col(CareTask.meeting_id) == meeting_id, col(CareTask.code) == TaskCode.AGENDA_ITEM
        )
    )


async def waiting_cases(tx: Transaction, site_teams: Sequence[UUID]) -> Sequence[CareTask]:
    """Load the cases of these teams that stand on no agenda, locked."""
    return await tx.all(
        _locked_tasks().where(
            col(CareTask.team_id).in_(site_teams),
            col(CareTask.code) == TaskCode.AGENDA_ITEM,
            col(CareTask.state).in_(LIVE_CASES),
            col(CareTask.meeting_id).is_(None),
        )
    )


def _locked_tasks() -> Select[CareTask]:
    return (
        select(CareTask)
        .order_by(col(CareTask.id))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
