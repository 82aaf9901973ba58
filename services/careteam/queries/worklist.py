"""What people of a site have to do in care teams: which rows, in which order an index gives them."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import and_, select
from sqlmodel import col

from services.careteam.models.rows import CareTask, KnownPatient, Plan, Team
from services.careteam.models.tables import CareTaskTable, PlanTable, TeamTable
from services.careteam.queries import scope
from services.careteam.states import LIVE_ACTIONS, LIVE_CASES, PlanState
from shared.auth.principal import Principal
from shared.db import Transaction, core
from shared.fhir.codes import TaskCode
from shared.fhir.worklists import Urgency, WorklistSource, fixed

_TASKS = "SELECT * FROM care_task WHERE id = ANY($1::uuid[])"
_PLANS = "SELECT * FROM plan WHERE id = ANY($1::uuid[])"
_PEOPLE = "SELECT * FROM known_patient WHERE id = ANY($1::text[])"


def sources(principal: Principal) -> list[WorklistSource]:
    """List the kinds that a caller has: a clinician own actions, a coordinator all of the site's."""
    actions = scope.task(principal)
    if principal.party == "clinician":
        actions = and_(actions, col(CareTaskTable.owner) == principal.practitioner)
    return [
        WorklistSource(
            kind="action",
            resource_type="Task",
            urgency=Urgency.TURN,
            id=col(CareTaskTable.id),
            since=col(CareTaskTable.authored_at),
            due=col(CareTaskTable.due_at),
            where=and_(
                fixed(CareTaskTable.code, TaskCode.ACTION), fixed(CareTaskTable.state, *LIVE_ACTIONS), actions
            ),
        ),
        WorklistSource(
            kind="case",
            resource_type="Task",
            urgency=Urgency.WAITING,
            id=col(CareTaskTable.id),
            since=col(CareTaskTable.authored_at),
            where=and_(
                fixed(CareTaskTable.code, TaskCode.AGENDA_ITEM),
                fixed(CareTaskTable.state, *LIVE_CASES),
                scope.task(principal),
            ),
        ),
        WorklistSource(
            kind="plan",
            resource_type="CarePlan",
            urgency=Urgency.TURN,
            id=col(PlanTable.id),
            since=col(PlanTable.drafted_at),
            where=and_(fixed(PlanTable.status, PlanState.DRAFT), scope.plan(principal)),
        ),
    ]


async def tasks(tx: Transaction, ids: Collection[UUID]) -> Sequence[CareTask]:
    """Read cases and actions by their ids, without a lock."""
    return await tx.rows(CareTask, _TASKS, list(ids))


async def plans(tx: Transaction, ids: Collection[UUID]) -> Sequence[Plan]:
    """Read plans by their ids, without a lock."""
    return await tx.rows(Plan, _PLANS, list(ids))


async def teams(
    tx: Transaction, ids: Collection[UUID], *, by: Principal
) -> tuple[dict[UUID, Team], frozenset[UUID]]:
    """Read teams by their ids, without a lock, and tell which of them the caller may see."""
    columns = core.columns(TeamTable)
    wanted = select(*columns, scope.team(by).label("is_visible")).where(columns.id.in_(list(ids)))
    records = [dict(record) for record in await tx.select(wanted)]
    visible = frozenset(record["id"] for record in records if record.pop("is_visible"))
    return {record["id"]: Team(**record) for record in records}, visible


async def people(tx: Transaction, patient_ids: Collection[str]) -> dict[str, KnownPatient]:
    """Read who these patients are, as far as `referral` has said it."""
    return {known.id: known for known in await tx.rows(KnownPatient, _PEOPLE, list(patient_ids))}
