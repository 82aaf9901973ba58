"""Tasks of all kinds, as they are searched, those that name visits which no longer fit, and those that ask
to tell a patient a day.

`TASKS` is what a search of Tasks reads: those of referrals, and the Tasks of a site, which are nobody's but
its coordinators' and so have no patient, no referral and no requester.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import String, Uuid, case, literal, null, select, union_all
from sqlalchemy.orm import aliased
from sqlmodel import col

from services.scheduling.models.conflicts import VisitConflict
from services.scheduling.models.rows import ReplanTask, TellingTask
from services.scheduling.models.tables import GuaranteeTable
from services.scheduling.models.task_tables import (
    OfferTable,
    ReplanTaskTable,
    TellingTaskTable,
    VisitTaskTable,
)
from services.scheduling.queries import scope
from shared.auth.principal import Principal
from shared.db import Transaction
from shared.fhir.codes import GuaranteeStatus, TaskCode

_NAMES = ("id", "version", "last_updated", "body", "site")
_STATUS_OF_GUARANTEE = {GuaranteeStatus.MET: "completed", GuaranteeStatus.ENDED: "cancelled"}
_nothing = null().cast(String)
_TASK_STATUS = case(_STATUS_OF_GUARANTEE, value=col(GuaranteeTable.status), else_="in-progress")
_OF_REFERRALS = ("patient_id", "referral_id", "requester", "status")
_ROWS = union_all(
    select(
        *(col(getattr(GuaranteeTable, name)).label(name) for name in (*_NAMES, *_OF_REFERRALS)),
        literal(str(TaskCode.GUARANTEE)).label("code"),
        _TASK_STATUS.label("task_status"),
    ),
    select(
        *(col(getattr(ReplanTaskTable, name)).label(name) for name in _NAMES),
        _nothing.label("patient_id"),
        null().cast(Uuid).label("referral_id"),
        _nothing.label("requester"),
        _nothing.label("status"),
        literal(str(TaskCode.REPLAN_VISITS)).label("code"),
        col(ReplanTaskTable.status).label("task_status"),
    ),
    select(
        *(col(getattr(TellingTaskTable, name)).label(name) for name in (*_NAMES, *_OF_REFERRALS[:2])),
        # What a patient wrote is the clinic's: no sender's row scope finds it.
        _nothing.label("requester"),
        _nothing.label("status"),
        literal(str(TaskCode.TELL_PATIENT)).label("code"),
        col(TellingTaskTable.status).label("task_status"),
    ),
    select(
        *(col(getattr(OfferTable, name)).label(name) for name in (*_NAMES, *_OF_REFERRALS[:3])),
        _nothing.label("status"),
        literal(str(TaskCode.OFFER_TIME)).label("code"),
        col(OfferTable.status).label("task_status"),
    ),
    select(
        *(col(getattr(VisitTaskTable, name)).label(name) for name in (*_NAMES, *_OF_REFERRALS[:3])),
        _nothing.label("status"),
        col(VisitTaskTable.code).label("code"),
        col(VisitTaskTable.status).label("task_status"),
    ),
).subquery("task")
TASKS = aliased(GuaranteeTable, _ROWS, adapt_on_names=True)
CODE, STATUS = _ROWS.c.code, _ROWS.c.task_status

_OPEN_SEEN = "SELECT * FROM replan_task WHERE site = $1 AND status = 'requested'"
_OPEN_OF = f"{_OPEN_SEEN} FOR UPDATE"
_SETTLED_OF = "SELECT * FROM replan_task WHERE site = $1 AND is_settled"
_TELLING = """
SELECT * FROM telling_task WHERE appointment_id = ANY($1::uuid[]) AND status = 'requested'
ORDER BY id FOR UPDATE
"""


async def open_of(tx: Transaction, site: str) -> ReplanTask | None:
    """Lock the open Task of a site that names visits."""
    return await tx.row(ReplanTask, _OPEN_OF, site)


async def open_seen(tx: Transaction, site: str) -> ReplanTask | None:
    """Read the open Task of a site that names visits, without a lock."""
    return await tx.row(ReplanTask, _OPEN_SEEN, site)


async def settled_of(tx: Transaction, site: str) -> list[VisitConflict]:
    """Read what the people of a site have settled by ending such a Task."""
    tasks = await tx.rows(ReplanTask, _SETTLED_OF, site)
    return [conflict for task in tasks for conflict in task.visits]


async def visible_to(
    tx: Transaction, principal: Principal, task_id: UUID | str, *, lock: bool = False
) -> ReplanTask | None:
    """Read such a Task that this caller may see, and lock it where that is wanted."""
    visible = scope.replan_tasks(principal)
    return await scope.find(tx, ReplanTask, task_id, table=ReplanTaskTable, visible=visible, lock=lock)


async def lock_self_booking(tx: Transaction, site: str) -> None:
    """Wait for whoever else books a first visit of a site from outside."""
    await tx.lock_names([f"self-booking/{site}"])


async def lock_site(tx: Transaction, site: str) -> None:
    """Wait for whoever holds the visits of a site against the description of the clinic."""
    await tx.lock_names([f"replan/{site}"])


async def open_telling(tx: Transaction, appointment_id: UUID) -> TellingTask | None:
    """Lock the open Task that asks to tell a patient the day of this visit."""
    return await tx.row(TellingTask, _TELLING, [appointment_id])


async def open_tellings(tx: Transaction, appointments: Sequence[UUID]) -> Sequence[TellingTask]:
    """Lock the open Tasks that ask to tell patients of these visits."""
    return await tx.rows(TellingTask, _TELLING, list(appointments))


async def telling_visible_to(
    tx: Transaction, principal: Principal, task_id: UUID | str, *, lock: bool = False
) -> TellingTask | None:
    """Read such a Task that this caller may see, and lock it where that is wanted."""
    visible = scope.telling_tasks(principal)
    return await scope.find(tx, TellingTask, task_id, table=TellingTaskTable, visible=visible, lock=lock)
