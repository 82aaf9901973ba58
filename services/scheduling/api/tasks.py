"""What a coordinator does with a Task that names visits which no longer fit."""

from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from services.scheduling import use_cases
from services.scheduling.queries import scope
from services.scheduling.rules.conflicts import TaskEnded
from services.scheduling.use_cases.replan import KeptByTheVisit
from shared.http.authorize import authorize, only
from shared.http.request_context import RequestContext
from shared.http.responses import refuses

router = APIRouter()

_Change = Annotated[RequestContext, authorize("Task", "u", rows=scope.REPLAN_ROWS)]


@router.put("/fhir/Task/{id}", responses=refuses(TaskEnded, KeptByTheVisit))
async def complete(id: str, request: _Change) -> Response:
    """Complete a Task that names visits which no longer fit, with why; needs If-Match."""
    only(request, "coordinator", what="change this Task")
    received = await request.resource("Task")
    async with request.transaction() as tx:
        task = await use_cases.replan.complete(request.ctx, tx, id, sent=received.data, expect=request.expect)
        return await request.answer(tx, task.body, about=task)
