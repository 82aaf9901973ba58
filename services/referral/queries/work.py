"""Tasks and Claims: what a referral waits for, and from whom."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from services.referral.models import Claim, ClaimResponse, Referral, Task
from services.referral.queries import scope
from services.referral.states import OPEN_TASKS, Authorization
from shared.auth.principal import Principal
from shared.db import Transaction
from shared.fhir.codes import TaskCode


async def process_task(tx: Transaction, referral_id: UUID) -> Task:
    """Give the process Task of a referral; every stored referral has one."""
    if tx.is_new(Referral, referral_id):
        return next(task for task in _new_tasks(tx, referral_id) if task.code == TaskCode.PROCESS_REQUEST)
    found = await tx.first(
        select(Task).where(col(Task.referral_id) == referral_id, col(Task.code) == TaskCode.PROCESS_REQUEST)
    )
    if found is None:
        raise LookupError(f"referral {referral_id} has no process Task")
    return found


async def open_task(tx: Transaction, referral_id: UUID, *, code: TaskCode) -> Task | None:
    """Find the open Task of a kind; there is at most one."""
    if tx.is_new(Referral, referral_id):
        mine = (task for task in _new_tasks(tx, referral_id) if task.code == code)
        return next((task for task in mine if task.status in OPEN_TASKS), None)
    return await tx.first(
        select(Task)
        .where(col(Task.referral_id) == referral_id, col(Task.code) == code, col(Task.status).in_(OPEN_TASKS))
        .with_for_update()
    )


async def open_work(tx: Transaction, referral_id: UUID) -> Sequence[Task]:
    """List the open Tasks of a referral but the process Task."""
    if tx.is_new(Referral, referral_id):
        others = (task for task in _new_tasks(tx, referral_id) if task.code != TaskCode.PROCESS_REQUEST)
        return [task for task in others if task.status in OPEN_TASKS]
    return await tx.all(
        select(Task)
        .where(
            col(Task.referral_id) == referral_id,
            col(Task.code) != TaskCode.PROCESS_REQUEST,
            col(Task.status).in_(OPEN_TASKS),
        )
        .order_by(col(Task.id))
        .with_for_update()
    )


async def task_visible_to(tx: Transaction, principal: Principal, task_id: UUID) -> Task | None:
    """Find a Task that the caller may see, locked."""
    return await tx.first(
        select(Task)
        .where(col(Task.id) == task_id, scope.tasks(principal))
        .with_for_update()
        .execution_options(populate_existing=True)
    )


async def live_claims(tx: Transaction, referral_id: UUID) -> Sequence[Claim]:
    """List the Claims of a referral that have not been denied or cancelled, locked."""
    ended = (Authorization.DENIED, Authorization.CANCELLED)
    return await tx.all(
        select(Claim)
        .where(col(Claim.referral_id) == referral_id, col(Claim.standing).not_in(ended))
        .order_by(col(Claim.id))
        .with_for_update()
    )


async def claims_of(tx: Transaction, referral_id: UUID) -> Sequence[Claim]:
    """List every Claim of a referral, locked."""
    if tx.is_new(Referral, referral_id):
        return [claim for claim in tx.added(Claim) if claim.referral_id == referral_id]
    return await tx.all(
        select(Claim).where(col(Claim.referral_id) == referral_id).order_by(col(Claim.id)).with_for_update()
    )


async def claim_visible_to(tx: Transaction, principal: Principal, claim_id: UUID) -> Claim | None:
    """Find a Claim that the caller may see."""
    return await tx.first(select(Claim).where(col(Claim.id) == claim_id, scope.claims(principal)))


async def claims_of_member(
    tx: Transaction, principal: Principal, *, members: Sequence[str], claims: Sequence[str]
) -> Sequence[Claim]:
    """List the caller's Claims of a member, all of them or the named ones."""
    found = select(Claim).where(scope.claims(principal), col(Claim.members).op("&&")(list(members)))
    named = [one for text in claims if (one := _uuid(text)) is not None]
    if claims:
        found = found.where(col(Claim.id).in_(named))
    return await tx.all(found.order_by(col(Claim.id)))


async def current_response(tx: Transaction, claim_id: UUID) -> ClaimResponse | None:
    """Give the newest answer to a Claim."""
    return await tx.first(
        select(ClaimResponse).where(col(ClaimResponse.claim_id) == claim_id, col(ClaimResponse.current))
    )


def _new_tasks(tx: Transaction, referral_id: UUID) -> list[Task]:
    """Give the Tasks of a referral that is not in the database yet: nothing there can refer to it."""
    return [task for task in tx.added(Task) if task.referral_id == referral_id]


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
