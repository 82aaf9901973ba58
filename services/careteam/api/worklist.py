"""`GET /careteam/worklist`: open actions, cases that wait for a meeting, plans that nobody has activated."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter
from starlette.responses import Response

from services.careteam import fhir, operations, queries, use_cases
from services.careteam.models.rows import CareTask, Team
from services.careteam.rules.acts import PlanFacts
from services.careteam.use_cases.read_work import WorkOfPage
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

_ROWS = "a clinician's own actions, cases and plans of own teams; all of the coordinator's site"
_Search = Annotated[RequestContext, authorize("Task", "s", rows=_ROWS)]
# By which acts a row ends or goes on; a case is decided at its meeting.
_ACTS_OF_ACTION = ("accept", "start", "complete", "reject")
_ACTS_OF_PLAN = ("activate",)


@router.get("/worklist", responses=refuses(UnknownParameter), openapi_extra=worklists.PARAMETERS)
async def worklist(request: _Search) -> Response:
    """List what the caller has to do in care teams, the most urgent first, a page at a time."""
    only(request, "coordinator", "clinician", what="see what is to be done in care teams")
    sources = queries.worklist.sources(request.principal)
    return await worklists.answer(request, sources, describe=_describe)


async def _describe(ctx: Context, tx: Transaction, entries: Sequence[WorklistEntry]) -> list[WorklistRow]:
    work = await use_cases.read_work.run(ctx, tx, entries)
    return [_row(ctx, entry, work) for entry in entries]


def _row(ctx: Context, entry: WorklistEntry, work: WorkOfPage) -> WorklistRow:
    if entry.kind == "plan":
        return _of_plan(ctx, entry, work)
    task = work.tasks[entry.id]
    team = work.teams[task.team_id]
    actions = _acts_of_action(ctx, task, team=team) if entry.kind == "action" else ()
    return fhir.worklist.of_task(
        ctx, entry, task, team=team, person=work.people.get(team.id), actions=actions
    )


def _of_plan(ctx: Context, entry: WorklistEntry, work: WorkOfPage) -> WorklistRow:
    plan = work.plans[entry.id]
    team = work.teams[plan.team_id]
    facts = PlanFacts(plan=plan, team=team)
    subject = Subject(row=plan, facts=facts, zone=ctx.clinic.site(team.site).zone)
    acts = possible(ctx, operations.plans.PLANS, subject, names=_ACTS_OF_PLAN)
    return fhir.worklist.of_plan(ctx, entry, plan, team=team, person=work.people.get(team.id), actions=acts)


def _acts_of_action(ctx: Context, task: CareTask, *, team: Team) -> list[dict[str, str]]:
    subject: Subject[Any] = Subject(row=task, facts=task, zone=ctx.clinic.site(team.site).zone)
    return possible(ctx, operations.tasks.TASKS, subject, names=_ACTS_OF_ACTION)
