"""`GET /scheduling/worklist`: guarantees in danger, whom to tell or to call, visits to plan or record."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter
from starlette.responses import Response

from services.scheduling import fhir, operations, queries, rules, use_cases
from services.scheduling.models.rows import ReplanTask
from services.scheduling.operations.series import SeriesFacts
from services.scheduling.rules.acts import AppointmentFacts
from services.scheduling.use_cases.read_work import WorkOfPage
from shared.context import Context
from shared.db import Transaction
from shared.fhir.operations import possible
from shared.fhir.worklists import WorklistEntry, WorklistRow
from shared.http import worklists
from shared.http.authorize import authorize, only
from shared.http.parameters import UnknownParameter
from shared.http.request_context import RequestContext
from shared.http.responses import refuses
from shared.operations import Subject

router = APIRouter()

_ROWS = "what is to be done at the coordinator's site; a clinician's own visits that nobody has recorded"
_Search = Annotated[RequestContext, authorize("Task", "s", rows=_ROWS)]
# By which acts a row of a kind ends or goes on.
_ACTS: Mapping[str, tuple[str, ...]] = {
    "guarantee": ("book", "move"),
    "waitlist": ("book",),
    "replan": ("complete",),
    "tell": ("tell",),
    "recall": ("call",),
    "offer": ("accept-offer", "decline-offer"),
    "series": ("book-partly", "extend", "settle"),
    "unrecorded": ("fulfil", "miss", "leave-unseen", "cancel"),
}


@router.get("/worklist", responses=refuses(UnknownParameter), openapi_extra=worklists.PARAMETERS)
async def worklist(request: _Search) -> Response:
    """List what the caller has to do around visits, the most urgent first, a page at a time."""
    only(request, "coordinator", "clinician", what="see what is to be done around visits")
    sources = queries.worklist.sources(
        request.principal,
        at=request.ctx.at,
        record_within=timedelta(hours=request.ctx.clinic.waiting.record_hours),
    )
    return await worklists.answer(request, sources, describe=_describe)


async def _describe(ctx: Context, tx: Transaction, entries: Sequence[WorklistEntry]) -> list[WorklistRow]:
    work = await use_cases.read_work.run(tx, entries)
    return [_row(ctx, entry, work) for entry in entries]


def _row(ctx: Context, entry: WorklistEntry, work: WorkOfPage) -> WorklistRow:
    if entry.kind == "guarantee":
        return _of_guarantee(ctx, entry, work)
    if entry.kind == "replan":
        return _of_task(ctx, entry, work.tasks[entry.id])
    if entry.kind in ("tell", "recall", "offer"):
        return _of_patient(ctx, entry, work)
    if entry.kind == "series":
        return _of_series(ctx, entry, work)
    facts = work.facts[entry.id]
    return fhir.worklist.of_visit(
        ctx,
        entry,
        facts.row,
        referral=facts.referral,
        person=work.people[facts.referral.id],
        reason=rules.board.why_on_the_worklist(facts.row),
        actions=_acts(ctx, facts, kind=entry.kind),
    )


def _of_guarantee(ctx: Context, entry: WorklistEntry, work: WorkOfPage) -> WorklistRow:
    row = work.guarantees[entry.id]
    actions = [] if row.first is None else _acts(ctx, work.facts[row.first.id], kind=entry.kind)
    return fhir.worklist.of_guarantee(ctx, entry, row, reason=rules.board.why(row), actions=actions)


def _of_task(ctx: Context, entry: WorklistEntry, task: ReplanTask) -> WorklistRow:
    subject: Subject[Any] = Subject(row=task, facts=task, zone=ctx.clinic.site(task.site).zone)
    actions = possible(ctx, operations.tasks.TASKS, subject, names=_ACTS[entry.kind])
    return fhir.worklist.of_task(ctx, entry, task, actions=actions)


def _of_patient(ctx: Context, entry: WorklistEntry, work: WorkOfPage) -> WorklistRow:
    """Show whom to tell a day, whom to call after two misses, or whom to ask about a freed time."""
    task = work.patients[entry.id]
    referral = work.referrals[task.referral_id]
    subject: Subject[Any] = Subject(row=task, facts=task, zone=ctx.clinic.site(task.site).zone)
    return fhir.worklist.of_patient(
        ctx,
        entry,
        task,
        referral=referral,
        person=work.people[referral.id],
        actions=possible(ctx, operations.tasks.TASKS, subject, names=_ACTS[entry.kind]),
    )


def _of_series(ctx: Context, entry: WorklistEntry, work: WorkOfPage) -> WorklistRow:
    row = work.series[entry.id]
    referral = work.referrals[row.referral_id]
    facts = SeriesFacts(row=row, referral=referral)
    subject = Subject(row=row, facts=facts, zone=ctx.clinic.site(row.site).zone)
    return fhir.worklist.of_series(
        ctx,
        entry,
        row,
        referral=referral,
        person=work.people[referral.id],
        actions=possible(ctx, operations.series.SERIES, subject, names=_ACTS[entry.kind]),
    )


def _acts(ctx: Context, facts: AppointmentFacts, *, kind: str) -> list[dict[str, str]]:
    subject = Subject(row=facts.row, facts=facts, zone=ctx.clinic.site(facts.row.site).zone)
    return possible(ctx, operations.appointments.APPOINTMENTS, subject, names=_ACTS[kind])
