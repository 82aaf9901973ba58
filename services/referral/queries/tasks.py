"""Tasks: the process Task of a referral, and what people are asked to do.

Invariant: whoever locks one holds the lock of its referral.
"""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, and_, false, select
from sqlmodel import col

from services.referral.models.rows import Task
from services.referral.models.tables import ReferralTable, TaskTable
from services.referral.queries import scope
from services.referral.states import OPEN_TASKS
from shared.auth.principal import Principal
from shared.db import Transaction
from shared.fhir.codes import BUSINESS_STATUS_SYSTEM, TaskCode
from shared.fhir.search_values import Token

_PROCESS = "SELECT * FROM task WHERE referral_id = ANY($1::uuid[]) AND code = 'process-request'"
_IN_DOUBT = """
SELECT referral_id FROM task
WHERE patient_id = ANY($1::uuid[]) AND code = 'resolve-identity' AND status = ANY($2::text[])
"""
_OFFERED = """
SELECT referral_id FROM task
WHERE patient_id = ANY($1::uuid[]) AND code = 'update-patient' AND status = ANY($2::text[])
"""
_WORK = """
SELECT * FROM task WHERE referral_id = $1 AND code <> 'process-request' AND status = ANY($2::text[])
ORDER BY id FOR UPDATE
"""


def with_business_status(token: Token) -> ColumnElement[bool]:
    """Hold for the process Tasks of referrals that stand so; no other Task has a business status."""
    if token.system not in (None, BUSINESS_STATUS_SYSTEM):
        return false()
    standing = select(col(ReferralTable.id)).where(col(ReferralTable.state) == token.code)
    is_process = col(TaskTable.code) == TaskCode.PROCESS_REQUEST
    return and_(is_process, col(TaskTable.referral_id).in_(standing))


def of_requester(organization: str) -> ColumnElement[bool]:
    """Hold for the Tasks of the referrals that an organisation sent."""
    sent = select(col(ReferralTable.id)).where(col(ReferralTable.requester) == organization)
    return col(TaskTable.referral_id).in_(sent)


async def process_of(tx: Transaction, referral_id: UUID) -> Task:
    """Return the process Task of a referral; every stored referral has one."""
    found = await tx.row(Task, _PROCESS, [referral_id])
    if found is None:
        raise LookupError(f"referral {referral_id} has no process Task")
    return found


async def processes_of(tx: Transaction, referral_ids: Collection[UUID]) -> Sequence[Task]:
    """Return the process Tasks of referrals, without a lock of their own."""
    return await tx.rows(Task, _PROCESS, list(referral_ids))


async def open_work(tx: Transaction, referral_id: UUID) -> list[Task]:
    """Lock the open Tasks of a referral but the process Task; there is at most one of a kind."""
    return await tx.rows(Task, _WORK, referral_id, list(OPEN_TASKS))


async def go_to_site(tx: Transaction, referral_id: UUID, *, site: str) -> None:
    """Let the Tasks of a referral be those of the site to which it goes."""
    await tx.run("UPDATE task SET site = $2 WHERE referral_id = $1", referral_id, site)


async def in_doubt_about(tx: Transaction, patient_ids: Collection[UUID]) -> set[UUID]:
    """Name the referrals, open or not, of which a Task still asks who these patients are."""
    found = await tx.records(_IN_DOUBT, list(patient_ids), list(OPEN_TASKS))
    return {record["referral_id"] for record in found}


async def offered_of(tx: Transaction, patient_ids: Collection[UUID]) -> set[UUID]:
    """Name the referrals, open or not, of which a Task still offers what a sender says of these patients."""
    found = await tx.records(_OFFERED, list(patient_ids), list(OPEN_TASKS))
    return {record["referral_id"] for record in found}


async def visible_to(
    tx: Transaction, principal: Principal, task_id: UUID | str, *, lock: bool = False
) -> Task | None:
    """Find a Task that the caller may see, and lock it where that is wanted."""
    visible = scope.tasks(principal)
    return await scope.find(tx, Task, task_id, table=TaskTable, visible=visible, lock=lock)
