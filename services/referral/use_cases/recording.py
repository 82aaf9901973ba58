"""What every verb does in the end: move the referral, keep its Task true, announce it.

Invariant: whoever calls these holds the referral's lock, or inserted it in this transaction.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from services.referral import fhir, queries, rules
from services.referral.models import Claim, Enclosure, Referral, Task
from services.referral.states import REQUEST_STATUS, TASK_STATUS, State, Turn
from shared.context import Context
from shared.db import Transaction
from shared.errors import Invalid, NotFound
from shared.events.catalog import DomainEvent
from shared.events.outbox import publishing
from shared.fhir import store
from shared.fhir.codes import TaskCode
from shared.fhir.instants import instant


class NoReason(Invalid):
    """An act that ends or refuses something says why."""

    code = "required"


def needed_reason(reason: Any) -> str:
    """Give the reason of an act; raises NoReason."""
    if isinstance(reason, str) and reason.strip():
        return reason.strip()
    raise NoReason("a reason is needed", expression="Parameters.parameter.where(name='reason')")


async def load_referral(ctx: Context, tx: Transaction, referral_id: str) -> Referral:
    """Load and lock a referral that the caller may see; raises NotFound."""
    found = None
    if (key := as_uuid(referral_id)) is not None:
        found = await queries.referral_visible_to(tx, ctx.caller, key)
    if found is None:
        raise NotFound(f"there is no ServiceRequest {referral_id}")
    return found


def as_uuid(text: str) -> UUID | None:
    """Read an id of ours, None where it is none."""
    try:
        return UUID(text)
    except ValueError:
        return None


async def move(
    ctx: Context, tx: Transaction, referral: Referral, to: State, *, reason: str, turn: Turn, name: str
) -> None:
    """Take the referral to another state; raises Refused where the life cycle has no such step."""
    rules.check_step(referral.state, to, act=name)
    referral.state, referral.reason, referral.turn = to, reason, turn
    status = REQUEST_STATUS.get(to, "active")
    if status != referral.status:
        referral.status = status
        await store.put(tx, referral, referral.body, at=ctx.at, overlay={"status": status})


async def keep_task(ctx: Context, tx: Transaction, referral: Referral, *, task: Task | None = None) -> Task:
    """Write the process Task as the referral now stands; `task` is that Task where it was read already.

    FHIR knows no step from on-hold to rejected: what was on hold is received again first.
    """
    task = task or await queries.process_task(tx, referral.id)
    status = TASK_STATUS[State(referral.state)]
    body = fhir.process_task(referral, clinic=ctx.clinic)
    if (task.status, status) == ("on-hold", "rejected"):
        await store.put(tx, task, body, at=ctx.at, overlay={"status": "received"})
    task.status = status
    await store.put(tx, task, body, at=ctx.at)
    return task


def announce(
    ctx: Context, tx: Transaction, event_type: type[DomainEvent], referral: Referral, task: Task, *more: bytes
) -> None:
    """Publish what happened to the referral, with its process Task."""
    publishing.collect(
        tx,
        event_type,
        of=referral,
        key=str(referral.patient_id),
        focus=referral.body,
        carries=[task.body, *more],
        ctx=ctx,
    )


async def open_work_task(
    ctx: Context,
    tx: Transaction,
    referral: Referral,
    *,
    code: TaskCode,
    owner: str,
    reason: str,
    due: datetime | None = None,
    claim: Claim | None = None,
    first: UUID | None = None,
) -> Task:
    """Ask somebody to act; where the same is asked already, the open Task gets the new reason."""
    body = fhir.work_task(referral, code=code, owner=owner, reason=reason, at=ctx.at, due=due, claim=claim)
    if first is not None:
        body = fhir.suspected_output(body, first=str(first))
    task = await queries.open_task(tx, referral.id, code=code)
    if task is None:
        task = Task(
            referral_id=referral.id,
            patient_id=referral.patient_id,
            claim_id=None if claim is None else claim.id,
            code=code,
            status="requested",
            owner=owner.removeprefix("Organization/"),
            authored_on=ctx.at,
        )
    else:
        body |= {"status": task.status, "authoredOn": instant(task.authored_on)}
    await store.put(tx, task, body, at=ctx.at)
    return task


async def finish_tasks(
    ctx: Context, tx: Transaction, tasks: Sequence[Task], *, status: str, reason: str
) -> None:
    """End Tasks of people with the reason why nothing is left to do."""
    for task in tasks:
        task.status = status
        overlay = {"status": status, "statusReason": {"text": reason}}
        await store.put(tx, task, task.body, at=ctx.at, overlay=overlay)


async def finish_task(
    ctx: Context, tx: Transaction, referral: Referral, *, code: TaskCode, reason: str
) -> None:
    """Complete the open Task of a kind, where there is one."""
    task = await queries.open_task(tx, referral.id, code=code)
    if task is not None:
        await finish_tasks(ctx, tx, [task], status="completed", reason=reason)


async def keep_enclosure(
    ctx: Context, tx: Transaction, referral: Referral, body: dict[str, Any], *, status: str | None = None
) -> Enclosure:
    """Store a resource of ours (Provenance, report) with the referral."""
    row = Enclosure(
        type=body["resourceType"],
        referral_id=referral.id,
        patient_id=referral.patient_id,
        requester=referral.requester,
        status=status,
    )
    await store.put(tx, row, body, at=ctx.at)
    return row


def the_clinic(ctx: Context) -> str:
    """The clinic as the owner of a Task: whoever coordinates."""
    return f"Organization/{ctx.clinic.id}"
