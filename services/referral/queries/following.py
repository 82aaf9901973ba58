"""What a run of events of the other services is about, loaded at once."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, any_, cast, select
from sqlmodel import col

from services.referral.models import Referral, Task
from shared.db import Transaction
from shared.fhir.codes import TaskCode


async def lock_referrals(tx: Transaction, ids: Collection[UUID]) -> Sequence[Referral]:
    """Lock referrals in the order of their ids, and give those that there are as they stand now."""
    return await tx.all(
        select(Referral)
        .where(col(Referral.id) == any_(cast(list(ids), ARRAY(Uuid))))
        .order_by(col(Referral.id))
        .with_for_update()
        .execution_options(populate_existing=True)
    )


async def process_tasks(tx: Transaction, referral_ids: Collection[UUID]) -> Sequence[Task]:
    """Give the process Tasks of referrals that are locked."""
    return await tx.all(
        select(Task)
        .where(
            col(Task.referral_id) == any_(cast(list(referral_ids), ARRAY(Uuid))),
            col(Task.code) == TaskCode.PROCESS_REQUEST,
        )
        .execution_options(populate_existing=True)
    )
