"""What people of a site have to do in care teams: which rows, in which order an index gives them."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, literal_column, select
from sqlmodel import col

from services.careteam.models.rows import CareTask, KnownPatient, Plan, Team
from services.careteam.models.tables import CareTaskTable, PlanTable, TeamTable
from services.careteam.queries import scope
from services.careteam.states import LIVE_ACTIONS, LIVE_CASES, PlanState
from shared.auth.principal import Principal
from shared.db import Transaction, core
from shared.fhir.codes import TaskCode
from shared.fhir.worklists import Urgency, WorklistSource

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
            id=_column(CareTaskTable.id),
            since=_column(CareTaskTable.authored_at),
            due=_column(CareTaskTable.due_at),
            where=and_(_is(CareTaskTable.code, TaskCode.ACTION), _is_live(*LIVE_ACTIONS), actions),
        ),
        WorklistSource(
            kind="case",
            resource_type="Task",
            urgency=Urgency.WAITING,
            id=_column(CareTaskTable.id),
            since=_column(CareTaskTable.authored_at),
            where=and_(
                _is(CareTaskTable.code, TaskCode.AGENDA_ITEM), _is_live(*LIVE_CASES), scope.task(principal)
            ),
        ),
        WorklistSource(
            kind="plan",
            resource_type="CarePlan",
            urgency=Urgency.TURN,
            id=_column(PlanTable.id),
            since=_column(PlanTable.drafted_at),
            where=and_(_is(PlanTable.status, PlanState.DRAFT), scope.plan(principal)),
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


def _column(attribute: Any) -> Any:
    return col(attribute)


def _is_live(*states: str) -> ColumnElement[bool]:
    return _is(CareTaskTable.state, *states)


def _is(attribute: Any, *values: str) -> ColumnElement[bool]:
    """Compare with constants, as the conditions of the indexes do: a parameter would not match them."""
    found: ColumnElement[bool] = col(attribute).in_([literal_column(f"'{value}'") for value in values])
    return found
