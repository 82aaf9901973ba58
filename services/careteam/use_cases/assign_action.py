"""Assign an action: what a meeting or the clinic asks of one owner by a date."""

from datetime import datetime
from uuid import UUID

from services.careteam import fhir
from services.careteam.models.rows import CareTask, Team
from services.careteam.states import ActionState
from services.careteam.use_cases import record
from shared import timers
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog.careteam import ActionAssigned
from shared.fhir import store
from shared.fhir.codes import TaskCode
from shared.reasons import Reason

OVERDUE = "action-overdue"


async def run(
    ctx: Context,
    tx: Transaction,
    team: Team,
    *,
    owner: str,
    what: Reason,
    due: datetime,
    requester: str | None = None,
    case_id: UUID | None = None,
    plan_id: UUID | None = None,
) -> CareTask:
    """Give a member of a locked team something to do by a date."""
    action = CareTask(
        team_id=team.id,
        referral_id=team.referral_id,
        patient_id=team.patient_id,
        code=TaskCode.ACTION,
        state=ActionState.REQUESTED,
        status=ActionState.REQUESTED,
        owner=owner,
        authored_at=ctx.at,
        due_at=due,
        case_id=case_id,
        plan_id=plan_id,
    )
    rendered = fhir.tasks.action(ctx, action, what=what, requester=requester)
    await store.insert(tx, action, rendered, at=ctx.at)
    await record.publish(ctx, tx, ActionAssigned, action)
    await timers.schedule(tx, kind=OVERDUE, ref=str(action.id), due=due)
    return action
