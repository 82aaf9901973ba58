"""What a coordinator does with a Task: the visits that no longer fit, whom to tell a day, whom to call."""

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
    """Say that visits which no longer fit are dealt with, that a patient was told, or what came of a call.

    Needs If-Match.
    """
    only(request, "coordinator", what="change this Task")
    received = await request.resource("Task")
    async with request.transaction() as tx:
        ctx, sent, expect = request.ctx, received.data, request.expect
        told = await use_cases.tell_patient.complete(ctx, tx, id, sent=sent, expect=expect)
        if told is not None:
            return await request.answer(tx, told.body, about=told, patient=told.patient_id)
        called = await use_cases.recall.complete(ctx, tx, id, sent=sent, expect=expect)
        if called is not None:
            return await request.answer(tx, called.body, about=called, patient=called.patient_id)
        task = await use_cases.replan.complete(ctx, tx, id, sent=sent, expect=expect)
        return await request.answer(tx, task.body, about=task)
