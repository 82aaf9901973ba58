"""Update an action, as its owner says how it stands."""

from services.careteam import fhir, rules, texts
from services.careteam.fhir.request_parsing import Findings
from services.careteam.models.rows import CareTask, Team
from services.careteam.states import LIVE_ACTIONS, ActionState
from services.careteam.use_cases import put_on_agenda, record
from services.careteam.use_cases.assign_action import OVERDUE
from shared import timers
from shared.context import Context
from shared.db import Transaction
from shared.errors import Conflict, Forbidden
from shared.events.catalog.careteam import ActionCompleted
from shared.fhir.codes import TaskCode
from shared.fhir.received import Received
from shared.reasons import Reason


class NotTheOwner(Forbidden):
    """Only its owner says how an action stands."""


class DecidedAtAMeeting(Conflict):
    """A case changes at a meeting and nowhere else."""


async def run(
    ctx: Context, tx: Transaction, team: Team, action: CareTask, *, received: Received, by: str | None
) -> None:
    """Give an action the status that its owner asks for; team and action are locked."""
    state = _checked(ctx, action, received, by=by)
    action.state = action.status = state
    overlay = fhir.tasks.action_overlay(received, status=state, at=ctx.at)
    await record.change(ctx, tx, action, overlay=overlay)
    if state not in LIVE_ACTIONS:
        await timers.cancel(tx, kind=OVERDUE, ref=str(action.id))
    if state is ActionState.COMPLETED:
        await record.publish(ctx, tx, ActionCompleted, action)
    if state is ActionState.REJECTED:
        await put_on_agenda.run(ctx, tx, team, why=Reason.of("action-rejected"), requester=by)


def _checked(ctx: Context, action: CareTask, received: Received, *, by: str | None) -> ActionState:
    """Read the asked status; raises where the action is not the caller's or cannot have this status."""
    if (why := rules.plans.why_not_by_hand(action, practitioner=by)) is not None:
        refusal = NotTheOwner if action.code == TaskCode.ACTION else DecidedAtAMeeting
        raise refusal.because(why, texts.REASONS)
    findings = Findings(urls=ctx.urls)
    stored = fhir.elements.decoded(action.body)
    state = fhir.tasks.asked_action_status(received.data, stored, findings=findings)
    has_reason = bool(fhir.tasks.reason_text(received.data))
    if state is not None:
        problems = rules.plans.action_problems(ActionState(action.state), to=state, has_reason=has_reason)
        findings.extend(problems)
    findings.refuse()
    return state or ActionState(action.state)
