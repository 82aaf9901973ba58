"""Tasks about visits: which are to be recorded, and which patients are to be called after two misses."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from services.scheduling.models.rows import Appointment, VisitTask
from services.scheduling.models.task_tables import VisitTaskTable
from services.scheduling.queries import scope
from shared.auth.principal import Principal
from shared.db import Transaction

# Who leads a visit records it; two workers that ask at once are kept apart by the timer's row.
_UNRECORDED = """
SELECT appointment.* FROM appointment
WHERE site = $1 AND status IN ('booked', 'arrived', 'checked-in') AND ends_at <= $2
  AND NOT EXISTS (
    SELECT FROM visit_task WHERE appointment_id = appointment.id AND code = 'record-visit'
      AND visit_task.status = 'requested')
ORDER BY ends_at, id FOR UPDATE OF appointment
"""
_TO_RECORD = """
SELECT * FROM visit_task
WHERE appointment_id = ANY($1::uuid[]) AND code = 'record-visit' AND status = 'requested'
ORDER BY id FOR UPDATE
"""
_RECALL = """
SELECT * FROM visit_task WHERE referral_id = $1 AND code = 'recall' AND status = 'requested' FOR UPDATE
"""
_BY_IDS = "SELECT * FROM visit_task WHERE id = ANY($1::uuid[])"
# Who had come and left without being seen has missed nothing.
_LAST_TWO = """
SELECT status FROM appointment
WHERE referral_id = $1 AND held_until IS NULL AND starts_at <= $2
  AND (status IN ('arrived', 'checked-in', 'fulfilled', 'noshow')
       OR (status = 'cancelled' AND reasons @> '[{"code": "left-unseen"}]'))
ORDER BY starts_at DESC, id DESC LIMIT 2
"""


async def unrecorded(tx: Transaction, site: str, *, until: datetime) -> Sequence[Appointment]:
    """Lock the visits of a site that were over by a moment, stand unrecorded, and have no open Task."""
    return await tx.rows(Appointment, _UNRECORDED, site, until)


async def to_record(tx: Transaction, appointments: Collection[UUID]) -> Sequence[VisitTask]:
    """Lock the open Tasks that ask to record these visits."""
    return await tx.rows(VisitTask, _TO_RECORD, list(appointments))


async def open_recall(tx: Transaction, referral_id: UUID) -> VisitTask | None:
    """Lock the open Task that asks to call the patient of a referral."""
    return await tx.row(VisitTask, _RECALL, referral_id)


async def last_outcomes(tx: Transaction, referral_id: UUID, *, at: datetime) -> Sequence[str]:
    """Return what became of the last two visits of a referral of which that is known, the last one first."""
    return [record["status"] for record in await tx.records(_LAST_TWO, referral_id, at)]


async def visible_to(
    tx: Transaction, principal: Principal, task_id: UUID | str, *, lock: bool = False
) -> VisitTask | None:
    """Read such a Task that this caller may see, and lock it where that is wanted."""
    visible = scope.tasks(principal, table=VisitTaskTable)
    return await scope.find(tx, VisitTask, task_id, table=VisitTaskTable, visible=visible, lock=lock)


async def by_ids(tx: Transaction, ids: Collection[UUID]) -> Sequence[VisitTask]:
    """Read such Tasks, without a lock."""
    return await tx.rows(VisitTask, _BY_IDS, list(ids))
