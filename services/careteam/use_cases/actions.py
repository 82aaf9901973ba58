"""Actions: what a meeting or the clinic asks of one owner by a date."""

from datetime import datetime
from uuid import UUID

from services.careteam import fhir, queries, rules
from services.careteam.fhir.tasks import CaseReason
from services.careteam.models import CareTask, Team
from services.careteam.states import LIVE_ACTIONS, ActionState, TeamState
from services.careteam.use_cases import agenda
from shared import timers
from shared.context import Context
from shared.db import Transaction
from shared.errors import Conflict, Forbidden
from shared.events.catalog import careteam
from shared.events.outbox import publishing
from shared.fhir import store
from shared.fhir.codes import TaskCode
from shared.fhir.received import Received

OVERDUE = "action-overdue"


class NotTheOwner(Forbidden):
    """Only its owner says how an action stands."""


class DecidedAtAMeeting(Conflict):
    """A case changes at a meeting and nowhere else."""


async def assign_action(
    ctx: Context,
    tx: Transaction,
    team: Team,
    *,
    owner: str,
    description: str,
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
    rendered = fhir.tasks.action(ctx, action, description=description, requester=requester)
    await store.put(tx, action, rendered, at=ctx.at)
    publishing.collect(
        tx, careteam.ActionAssigned, of=action, key=team.patient_id, focus=action.body, ctx=ctx
    )
    await timers.schedule(tx, kind=OVERDUE, ref=str(action.id), due=due)
    return action


async def update_action(
    ctx: Context, tx: Transaction, team: Team, action: CareTask, *, received: Received, by: str | None
) -> None:
    """Give an action the status that its owner asks for; team and action are locked."""
    if action.code != TaskCode.ACTION:
        raise DecidedAtAMeeting("a case is decided at its meeting, with $decide")
    if action.owner != by:
        raise NotTheOwner("only its owner updates an action")
    findings = fhir.asked.Findings()
    state = fhir.tasks.asked_action_status(received.data, fhir.decoded(action.body), findings=findings)
    reason = fhir.tasks.reason_text(received.data)
    findings.extend(rules.plans.action_problems(ActionState(action.state), to=state, has_reason=bool(reason)))
    findings.refuse()

    action.state = action.status = state
    overlay = fhir.tasks.action_overlay(received, status=state, at=ctx.at)
    await store.put(tx, action, action.body, at=ctx.at, overlay=overlay)
    if state not in LIVE_ACTIONS:
        await timers.cancel(tx, kind=OVERDUE, ref=str(action.id))
    if state is ActionState.COMPLETED:
        publishing.collect(
            tx, careteam.ActionCompleted, of=action, key=team.patient_id, focus=action.body, ctx=ctx
        )
    if state is ActionState.REJECTED:
        await _bring_up_rejected(ctx, tx, team, by=by)


async def _bring_up_rejected(ctx: Context, tx: Transaction, team: Team, *, by: str | None) -> None:
    await agenda.put_on_agenda(
        ctx,
        tx,
        team,
        reason=CaseReason.ACTION_REJECTED,
        text="an action was rejected by its owner",
        requester=by,
    )


async def action_is_overdue(ctx: Context, tx: Transaction, task_id: UUID) -> None:
    """Put the case of an action that is not done in time on the next agenda."""
    known = await tx.get(CareTask, task_id)
    if known is None:
        raise LookupError(f"action {task_id}")
    team = await queries.teams.locked(tx, known.team_id)
    action = await queries.tasks.locked(tx, task_id)
    if action is None or action.state not in LIVE_ACTIONS or team.status != TeamState.ACTIVE:
        return
    await agenda.put_on_agenda(
        ctx, tx, team, reason=CaseReason.ACTION_OVERDUE, text="an action was not done in time"
    )


async def cancel_action(ctx: Context, tx: Transaction, action: CareTask, *, reason: str) -> None:
    """Cancel a locked action, because its patient's care ended."""
    action.state = action.status = ActionState.CANCELLED
    overlay = {"status": action.status, "lastModified": fhir.elements.instant(ctx.at)}
    await store.put(tx, action, action.body, at=ctx.at, overlay=overlay | fhir.tasks.dropped(reason))
    await timers.cancel(tx, kind=OVERDUE, ref=str(action.id))
