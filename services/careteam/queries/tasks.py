"""Cases and actions."""

from uuid import UUID

from services.careteam.models.rows import CareTask
from services.careteam.models.tables import CareTaskTable
from services.careteam.queries import scope
from services.careteam.states import LIVE_ACTIONS, LIVE_CASES, TeamState
from shared.auth.principal import Principal
from shared.db import Transaction
from shared.fhir.codes import TaskCode

_LOCK = "SELECT * FROM care_task WHERE id = $1 FOR UPDATE"
_TEAM_OF = "SELECT team_id FROM care_task WHERE id = $1"
_LIVE_CASE = """
SELECT * FROM care_task WHERE team_id = $1 AND code = $2 AND state = ANY($3::text[]) FOR UPDATE
"""
_CASE_WAITS = """
SELECT EXISTS (SELECT FROM care_task WHERE team_id = $1 AND code = $2 AND state = ANY($3::text[]))
"""
_WAS_CASE_BECAUSE = """
SELECT EXISTS (
  SELECT FROM care_task WHERE team_id = $1 AND code = $2 AND position(convert_to($3, 'UTF8') IN body) > 0
)
"""
_LIVE_ACTIONS = """
SELECT * FROM care_task
WHERE team_id = $1 AND code = $2 AND state = ANY($3::text[]) ORDER BY id FOR UPDATE
"""
_OF_MEETING = """
SELECT * FROM care_task WHERE meeting_id = $1 AND code = $2 ORDER BY position, id FOR UPDATE
"""
_LAST_POSITION = "SELECT coalesce(max(position), 0) FROM care_task WHERE meeting_id = $1"
_WAITING = """
SELECT care_task.* FROM care_task JOIN team ON team.id = care_task.team_id
WHERE team.site = $1 AND team.status = $2 AND code = $3 AND state = ANY($4::text[]) AND meeting_id IS NULL
ORDER BY care_task.id FOR UPDATE OF care_task
"""


async def visible(tx: Transaction, task_id: UUID, *, by: Principal, lock: bool = False) -> CareTask | None:
    """Read or lock a case or an action inside the caller's row scope."""
    return await scope.row(tx, CareTask, CareTaskTable, task_id, within=scope.task(by), lock=lock)


async def locked(tx: Transaction, task_id: UUID) -> CareTask | None:
    """Lock a case or an action."""
    return await tx.row(CareTask, _LOCK, task_id)


async def team_of(tx: Transaction, task_id: UUID) -> UUID | None:
    """Return the id of the team of a case or an action."""
    found: UUID | None = await tx.value(_TEAM_OF, task_id)
    return found


async def live_case(tx: Transaction, team_id: UUID) -> CareTask | None:
    """Lock the one case of a team that waits for a decision."""
    return await tx.row(CareTask, _LIVE_CASE, team_id, TaskCode.AGENDA_ITEM, list(LIVE_CASES))


async def case_waits(tx: Transaction, team_id: UUID) -> bool:
    """Tell, without a lock, whether the case of a team waits for a decision."""
    waits: bool = await tx.value(_CASE_WAITS, team_id, TaskCode.AGENDA_ITEM, list(LIVE_CASES))
    return waits


async def was_case_because(tx: Transaction, team_id: UUID, reason: str) -> bool:
    """Tell whether a case of a team was ever put on an agenda for a reason, by the reason's code."""
    was: bool = await tx.value(_WAS_CASE_BECAUSE, team_id, TaskCode.AGENDA_ITEM, f'"{reason}"')
    return was


async def live_actions(tx: Transaction, team_id: UUID) -> list[CareTask]:
    """Lock a team's actions that are not done."""
    return await tx.rows(CareTask, _LIVE_ACTIONS, team_id, TaskCode.ACTION, list(LIVE_ACTIONS))


async def cases_of_meeting(tx: Transaction, meeting_id: UUID) -> list[CareTask]:
    """Lock the cases that stand on a meeting's agenda in their order, whatever became of them."""
    return await tx.rows(CareTask, _OF_MEETING, meeting_id, TaskCode.AGENDA_ITEM)


async def last_position(tx: Transaction, meeting_id: UUID) -> int:
    """Return the last position on the agenda of a locked meeting, 0 where it is empty."""
    last: int = await tx.value(_LAST_POSITION, meeting_id)
    return last


async def waiting_cases(tx: Transaction, *, site: str) -> list[CareTask]:
    """Lock the cases of a site's active teams that stand on no agenda."""
    return await tx.rows(CareTask, _WAITING, site, TeamState.ACTIVE, TaskCode.AGENDA_ITEM, list(LIVE_CASES))
