"""Write what the verbs have decided, each row with its resource, and publish what happened.

Invariants:
- Whoever calls this holds the lock of the row's team or meeting, and of the row itself unless it is new.
- A row is changed first and written then, with every column that a verb may change.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from services.careteam import fhir, queries
from services.careteam.models.rows import (
    CareTask,
    Decision,
    Goal,
    Meeting,
    Message,
    Minutes,
    Outcome,
    Plan,
    Team,
)
from services.careteam.states import CaseState, MeetingState
from shared.context import Context
from shared.db import Transaction
from shared.db.models import Resource
from shared.events.catalog import DomainEvent
from shared.events.outbox.publishing import Publication, publish_all
from shared.fhir import store
from shared.fhir.elements import reference
from shared.reasons import Reason

Overlay = Mapping[str, Any]
Changing = Team | Plan | Goal | Meeting | CareTask | Minutes

_CHANGING: dict[type[Changing], tuple[str, ...]] = {
    Team: ("status", "ended_at", "ended_because"),
    Plan: ("owner", "status", "activated_at", "ended_at", "awaited_review"),
    Goal: ("lifecycle_status",),
    Meeting: ("state", "status", "opened_at", "closed_at"),
    CareTask: ("state", "status", "owner", "meeting_id", "position"),
    Minutes: ("status",),
}


async def change(
    ctx: Context,
    tx: Transaction,
    row: Changing,
    *,
    resource: Mapping[str, Any] | bytes | None = None,
    overlay: Overlay | None = None,
) -> None:
    """Write a row that was changed as its next version: `overlay` laid over `resource`, else over its own."""
    columns = {name: getattr(row, name) for name in _CHANGING[type(row)]}
    body = row.body if resource is None else resource
    await store.update(tx, row, body, at=ctx.at, overlay=overlay, **columns)


async def change_all(ctx: Context, tx: Transaction, changed: Sequence[tuple[Changing, Overlay]]) -> None:
    """Write changed rows of one table by one statement, each with members laid over its resource."""
    written = [(row, row.version) for row, _ in changed]
    for row, overlay in changed:
        store.fill(row, row.body, at=ctx.at, overlay=overlay)
    if written:
        await store.update_all(tx, written, *_CHANGING[type(written[0][0])])


async def cases(
    ctx: Context, tx: Transaction, changed: Sequence[CareTask], *, more: Overlay | None = None
) -> None:
    """Write cases in the states and on the agendas where they now are."""
    for case in changed:
        case.status = fhir.tasks.case_status(CaseState(case.state))
    overlays = [(case, {**fhir.tasks.case_overlay(case, at=ctx.at), **(more or {})}) for case in changed]
    await change_all(ctx, tx, overlays)


async def put_on_agenda(tx: Transaction, cases: Sequence[CareTask], *, of: Meeting) -> None:
    """Put cases at the end of the agenda of a locked meeting, in this order."""
    last = await queries.tasks.last_position(tx, of.id)
    for position, case in enumerate(cases, start=last + 1):
        case.meeting_id, case.position = of.id, position


async def meeting(ctx: Context, tx: Transaction, changed: Meeting) -> None:
    """Write a meeting in the state and with the participants that it now has."""
    changed.status = fhir.meetings.meeting_status(MeetingState(changed.state))
    participants = await queries.meetings.participants(tx, changed.id)
    await change(ctx, tx, changed, resource=fhir.meetings.appointment(ctx, changed, participants))


async def invite(ctx: Context, tx: Transaction, to: Meeting, *, cases: Sequence[CareTask]) -> None:
    """Invite to a locked meeting whoever is in the teams of these cases, and write it."""
    await queries.meetings.invite_teams(tx, to.id, teams={case.team_id for case in cases})
    await meeting(ctx, tx, to)


async def decided_about_plan(ctx: Context, tx: Transaction, plan: Plan, *, why: Reason) -> None:
    """Write who changed a plan that no member changed, and why."""
    decision = Decision(target=str(plan.id), recorded_at=ctx.at, team_id=plan.team_id)
    rendered = fhir.meetings.provenance(ctx, target=reference("CarePlan", plan.id), activity=why)
    await store.insert(tx, decision, rendered, at=ctx.at)


async def publish(
    ctx: Context,
    tx: Transaction,
    event: type[DomainEvent],
    *rows: Team | Plan | CareTask | Outcome | Message | Meeting,
    carries: Sequence[Resource] = (),
) -> None:
    """Publish what happened to each row; a meeting concerns several patients, and its events name none."""
    publications = []
    for row in rows:
        patient_id = None if isinstance(row, Meeting) else row.patient_id
        referral_id = None if isinstance(row, Meeting) else row.referral_id
        resources = (row.body, *(carried.body for carried in carries))
        happened = event(patient_id=patient_id, referral_id=referral_id, resources=resources)
        publications.append(Publication(ctx=ctx, of=row, event=happened))
    await publish_all(tx, publications)
